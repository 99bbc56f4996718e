using Npgsql;

namespace ReplicaRouter;

/// <summary>A transaction is known not to be committed, because of a server failure: strategies retry it.</summary>
internal sealed class TransactionNotCommittedException(string message, Exception cause) : NpgsqlException(message, cause)
{
    public override bool IsTransient => true;
}
