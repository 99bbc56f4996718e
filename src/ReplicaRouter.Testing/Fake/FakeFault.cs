namespace ReplicaRouter.Testing;

/// <summary>What a <see cref="FakeServer"/> does instead of answering, or instead of finishing its answer.</summary>
public enum FakeFault
{
    /// <summary>Ends the connection with FIN, like a server process that exits.</summary>
    Close,

    /// <summary>Ends the connection with RST, like a machine that does not know the connection. The client can lose what was sent just before.</summary>
    Reset,

    /// <summary>Does not answer, like a statement that waits for a lock. A cancel request ends the statement with 57014.</summary>
    Hang,

    /// <summary>Does not answer, and ignores cancel requests.</summary>
    Silence,
}
