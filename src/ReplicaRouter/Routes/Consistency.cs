namespace ReplicaRouter;

/// <summary>What a read may miss.</summary>
public enum Consistency
{
    /// <summary>Nothing that was committed before the read: it goes to the primary.</summary>
    Strong,

    /// <summary>Nothing that its session has written or read. The default. Outside a session it means <see cref="Eventual"/>.</summary>
    Session,

    /// <summary>Everything newer than the maximum lag of the operation (<see cref="OperationOptions.MaxLag"/>) or else of its route, even its own session's writes.</summary>
    Eventual,
}
