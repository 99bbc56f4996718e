using Npgsql;

namespace ReplicaRouter;

/// <summary>A transaction is known not to be committed, for a reason that lies with the server: strategies run it again.</summary>
internal sealed class TransactionNotCommittedException(string message, Exception cause) : NpgsqlException(message, cause)
{
    public override bool IsTransient => true;
}
