namespace ReplicaRouter;

/// <summary>How hosts are watched.</summary>
public sealed class HealthOptions
{
    /// <summary>Time between two probes of a host, from the end of one to the start of the next; a quarter more or less at random.</summary>
    /// <value>Default 1 s; 50 ms to 1 min.</value>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Time that a probe may take before it counts as missed. Two misses in a row take a host out.</summary>
    /// <value>Default 1 s; 50 ms to 30 s.</value>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(1);
}
