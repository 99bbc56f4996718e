using System.Collections.Immutable;

namespace ReplicaRouter.Tool.Inspection;

/// <summary>Everything known about a cluster at one moment: the input of the checks.</summary>
internal sealed record ClusterFacts
{
    public required RouterConfiguration Configuration { get; init; }

    /// <summary>Number of the application's processes, each with its own router.</summary>
    public required int Instances { get; init; }

    public required ImmutableArray<HostFacts> Hosts { get; init; }

    /// <summary>The report of each discovery source; empty when none is configured.</summary>
    public ImmutableArray<SourceReport> Sources { get; init; } = [];

    /// <summary>The hosts that answered.</summary>
    public IEnumerable<HostFacts> Answering => Hosts.Where(host => host.Server is not null);

    /// <summary>The hosts that answered and belong to the same cluster as the first of them. Hosts of other clusters are ignored.</summary>
    public IEnumerable<HostFacts> Members => Answering.Where(host => host.Server!.Answer.SystemIdentifier == Answering.First().Server!.Answer.SystemIdentifier);

    /// <summary>The members that are in recovery.</summary>
    public IEnumerable<HostFacts> Standbys => Members.Where(host => host.Server!.Answer.IsInRecovery);

    /// <summary>The members that take writes.</summary>
    public IEnumerable<HostFacts> Writable => Members.Where(host => !host.Server!.Answer.IsInRecovery);
}

/// <summary>A configured or discovered host, and the server found there.</summary>
internal sealed record HostFacts
{
    public required HostConfiguration Host { get; init; }

    /// <summary>What the server reported about itself; null if it could not be queried.</summary>
    public ServerFacts? Server { get; init; }

    /// <summary>Why it could not be queried; null if it could.</summary>
    public HostFailure? Failure { get; init; }

    /// <summary>How the router sees it.</summary>
    public required HostHealth Health { get; init; }

    public string Name => Host.Name;
}
