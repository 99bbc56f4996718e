using Npgsql;

namespace ReplicaRouter.Errors;

internal sealed class CertificateRefusedException(string message, Exception innerException) : NpgsqlException(message, innerException);
