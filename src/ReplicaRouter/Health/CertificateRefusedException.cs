using Npgsql;

namespace ReplicaRouter;

/// <summary>The server's certificate was refused, and why.</summary>
internal sealed class CertificateRefusedException(string message, Exception innerException) : NpgsqlException(message, innerException);
