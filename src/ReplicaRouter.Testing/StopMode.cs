namespace ReplicaRouter.Testing;

/// <summary>How a server is shut down.</summary>
public enum StopMode
{
    /// <summary>Sessions are ended with 57P01 and everything is written. A primary first waits until its running standbys have its last WAL.</summary>
    Fast,

    /// <summary>Everything ends at once; the next start recovers from the WAL.</summary>
    Immediate,
}
