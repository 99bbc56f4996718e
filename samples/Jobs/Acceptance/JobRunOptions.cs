namespace Jobs.Acceptance;

/// <summary>What a run is to show.</summary>
public sealed record JobRunOptions
{
    public required JobSystem System { get; init; }

    /// <summary>How many orders are placed.</summary>
    public required int Jobs { get; init; }

    /// <summary>Whether jobs go on with the session of whoever placed the order. Without, they are expected to miss some.</summary>
    public bool WithTokens { get; init; } = true;

    /// <summary>Whether the primary is killed half-way, and a replica promoted.</summary>
    public bool WithFailover { get; init; }

    /// <summary>How far the replicas are kept behind.</summary>
    public TimeSpan ApplyDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Orders that wait for their receipt at a time.</summary>
    public int Producers { get; init; } = 20;
}
