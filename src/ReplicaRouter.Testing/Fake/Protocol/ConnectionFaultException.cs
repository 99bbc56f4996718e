namespace ReplicaRouter.Testing.Fake;

/// <summary>Ends a connection in the midst of a statement or of a login.</summary>
internal sealed class ConnectionFaultException(bool isReset) : IOException("The fake server ends the connection.")
{
    public bool IsReset { get; } = isReset;
}
