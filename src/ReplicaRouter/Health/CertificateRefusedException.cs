using Npgsql;

namespace ReplicaRouter;

internal sealed class CertificateRefusedException(string message, Exception innerException) : NpgsqlException(message, innerException);
