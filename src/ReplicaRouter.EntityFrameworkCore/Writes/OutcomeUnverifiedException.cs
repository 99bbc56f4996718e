using Npgsql;

namespace ReplicaRouter;

/// <summary>Carries an unknown outcome to the caller's <c>verifySucceeded</c>, which strategies call only for errors that they would retry.</summary>
internal sealed class OutcomeUnverifiedException(TransactionOutcomeUnknownException cause) : NpgsqlException(cause.Message, cause)
{
    public override bool IsTransient => true;

    public static OutcomeUnverifiedException? Of(Exception exception) => (exception as TransactionOutcomeUnknownException ?? exception.InnerException) is TransactionOutcomeUnknownException cause
        ? new OutcomeUnverifiedException(cause)
        : null;
}
