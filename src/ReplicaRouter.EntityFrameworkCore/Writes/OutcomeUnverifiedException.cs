using Npgsql;

namespace ReplicaRouter;

/// <summary>An unknown outcome on its way to the caller's own check: strategies ask for it only where they would retry.</summary>
internal sealed class OutcomeUnverifiedException(TransactionOutcomeUnknownException cause) : NpgsqlException(cause.Message, cause)
{
    public override bool IsTransient => true;

    public static OutcomeUnverifiedException? Of(Exception exception) => (exception as TransactionOutcomeUnknownException ?? exception.InnerException) is TransactionOutcomeUnknownException cause
        ? new OutcomeUnverifiedException(cause)
        : null;
}
