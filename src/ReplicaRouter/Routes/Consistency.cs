namespace ReplicaRouter;

/// <summary>What a read may miss.</summary>
public enum Consistency
{
    /// <summary>Nothing that was committed before it: it goes to the primary.</summary>
    Strong,

    /// <summary>Nothing that its session has written or read. The default; outside a session it is <see cref="Eventual"/>.</summary>
    Session,

    /// <summary>What is younger than the maximum lag, of the operation (<see cref="OperationOptions.MaxLag"/>) or else of its route; also what its own session wrote.</summary>
    Eventual,
}
