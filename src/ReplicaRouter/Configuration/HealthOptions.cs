namespace ReplicaRouter;

/// <summary>The settings of probes.</summary>
public sealed class HealthOptions
{
    /// <summary>Time from the end of a probe of a host to the start of the next, with random jitter of up to a quarter more or less.</summary>
    /// <value>Default 1 s; 50 ms to 1 min.</value>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Time after which a probe counts as missed. Two misses in a row take the host out of rotation.</summary>
    /// <value>Default 1 s; 50 ms to 30 s.</value>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(1);
}
