namespace ReplicaRouter.Health;

/// <summary>Where an error occurred, which decides what it proves about the host.</summary>
internal enum FailureSite
{
    /// <summary>While a connection was opened, or in a probe's own query.</summary>
    Opening,

    BrokenConnection,
    OpenConnection,
}
