namespace ReplicaRouter.Testing.Fake;

/// <summary>Ends a connection during a statement or a login.</summary>
internal sealed class ConnectionFaultException(bool isReset) : IOException("The fake server ends the connection.")
{
    public bool IsReset { get; } = isReset;
}
