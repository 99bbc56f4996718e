namespace ReplicaRouter.Health;

/// <summary>Where an error was met, which decides what it proves about the host.</summary>
internal enum FailureSite
{
    /// <summary>While a connection was opened, or by a probe's own question.</summary>
    Opening,

    BrokenConnection,
    OpenConnection,
}
