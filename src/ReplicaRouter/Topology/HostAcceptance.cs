namespace ReplicaRouter;

/// <summary>What an operator accepts with a host, and what is abandoned for it.</summary>
public sealed record HostAcceptance
{
    /// <summary>The host's name.</summary>
    public required string Host { get; init; }

    /// <summary>The host's role: the future primary, or a standby.</summary>
    public required HostRole Role { get; init; }

    /// <summary>The host's system identifier, which becomes the cluster's.</summary>
    public required ulong SystemIdentifier { get; init; }

    /// <summary>The host's timeline, which becomes the cluster's.</summary>
    public required int Timeline { get; init; }

    /// <summary>The cluster's previous system identifier; <see langword="null"/> if none was settled.</summary>
    public required ulong? FormerSystemIdentifier { get; init; }

    /// <summary>The cluster's previous timeline; 0 if none was known.</summary>
    public required int FormerTimeline { get; init; }

    /// <summary>The previous primary; <see langword="null"/> if there was none.</summary>
    public required string? FormerPrimary { get; init; }

    /// <summary>Why the host did not serve before; <see langword="null"/> if it did.</summary>
    public required string? Error { get; init; }

    /// <summary>What is abandoned, one sentence each: hosts that get no more traffic, with the writes that only they hold, and what sessions have seen.</summary>
    public required IReadOnlyList<string> GivenUp { get; init; }
}
