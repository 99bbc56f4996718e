namespace ReplicaRouter;

/// <summary>What an operator accepts with a host, and what is given up for it.</summary>
public sealed record HostAcceptance
{
    /// <summary>The host's name.</summary>
    public required string Host { get; init; }

    /// <summary>What the host is: the primary to be, or a standby.</summary>
    public required HostRole Role { get; init; }

    /// <summary>The system identifier that it shows, which becomes the cluster's.</summary>
    public required ulong SystemIdentifier { get; init; }

    /// <summary>The timeline that it shows, which becomes the cluster's.</summary>
    public required int Timeline { get; init; }

    /// <summary>The cluster's system identifier so far; <see langword="null"/>: none was settled.</summary>
    public required ulong? FormerSystemIdentifier { get; init; }

    /// <summary>The cluster's timeline so far; 0: none was known.</summary>
    public required int FormerTimeline { get; init; }

    /// <summary>The primary so far; <see langword="null"/>: there was none.</summary>
    public required string? FormerPrimary { get; init; }

    /// <summary>Why the host did not serve as it is; <see langword="null"/> when it did.</summary>
    public required string? Error { get; init; }

    /// <summary>What is given up, one sentence each: hosts that get no traffic any more with the writes that only they hold, and what sessions have seen.</summary>
    public required IReadOnlyList<string> GivenUp { get; init; }
}
