namespace ReplicaRouter.Testing.Fake;

/// <summary>What an ErrorResponse says.</summary>
internal sealed record FakeError(string Severity, string SqlState, string Message)
{
    public bool IsFatal => Severity == "FATAL";
}
