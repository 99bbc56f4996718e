namespace ReplicaRouter.Testing;

/// <summary>What a <see cref="FakeServer"/> does instead of answering, or instead of finishing its answer.</summary>
public enum FakeFault
{
    /// <summary>Ends the connection with FIN, as a server process that exits.</summary>
    Close,

    /// <summary>Ends the connection with RST, as a machine that does not know it. The client may lose what was sent just before.</summary>
    Reset,

    /// <summary>Does not answer. A request to cancel ends the statement with 57014, as that of a lock that is waited for.</summary>
    Hang,

    /// <summary>Does not answer, and requests to cancel have no effect.</summary>
    Silence,
}
