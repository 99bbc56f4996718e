namespace ReplicaRouter.Testing.Fake;

/// <summary>The contents of an ErrorResponse.</summary>
internal sealed record FakeError(string Severity, string SqlState, string Message)
{
    public bool IsFatal => Severity == "FATAL";
}
