namespace ReplicaRouter.Testing;

/// <summary>How a server is shut down.</summary>
public enum StopMode
{
    /// <summary>Ends sessions with 57P01 and writes everything to disk. A primary first waits until its running standbys have received its last WAL.</summary>
    Fast,

    /// <summary>Ends everything at once; the next start recovers from the WAL.</summary>
    Immediate,
}
