namespace Jobs.Acceptance;

/// <summary>The options of a run.</summary>
public sealed record JobRunOptions
{
    public required JobSystem System { get; init; }

    /// <summary>The number of orders.</summary>
    public required int Jobs { get; init; }

    /// <summary>Whether jobs continue the session of the producer that placed the order. Otherwise they are expected to miss some orders.</summary>
    public bool WithTokens { get; init; } = true;

    /// <summary>Whether the primary is killed halfway, and a replica promoted.</summary>
    public bool WithFailover { get; init; }

    /// <summary>The replay delay of the replicas.</summary>
    public TimeSpan ApplyDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The number of orders that wait for their receipt at the same time.</summary>
    public int Producers { get; init; } = 20;
}
