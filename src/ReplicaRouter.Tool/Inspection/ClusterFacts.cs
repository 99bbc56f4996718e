using System.Collections.Immutable;

namespace ReplicaRouter.Tool.Inspection;

/// <summary>All that was found out about a cluster at one moment: what checks judge.</summary>
internal sealed record ClusterFacts
{
    public required RouterConfiguration Configuration { get; init; }

    /// <summary>Processes of the application, each with a router of its own.</summary>
    public required int Instances { get; init; }

    public required ImmutableArray<HostFacts> Hosts { get; init; }

    /// <summary>What each source of hosts has answered; empty when none is configured.</summary>
    public ImmutableArray<SourceReport> Sources { get; init; } = [];

    /// <summary>The hosts that answered.</summary>
    public IEnumerable<HostFacts> Answering => Hosts.Where(host => host.Server is not null);

    /// <summary>The hosts that answered and belong to one cluster: that of the first one. What the others do is of no interest here.</summary>
    public IEnumerable<HostFacts> Members => Answering.Where(host => host.Server!.Answer.SystemIdentifier == Answering.First().Server!.Answer.SystemIdentifier);

    /// <summary>The members that are in recovery.</summary>
    public IEnumerable<HostFacts> Standbys => Members.Where(host => host.Server!.Answer.IsInRecovery);

    /// <summary>The members that take writes.</summary>
    public IEnumerable<HostFacts> Writable => Members.Where(host => !host.Server!.Answer.IsInRecovery);
}

/// <summary>One host that is configured or discovered, and the server that was found there.</summary>
internal sealed record HostFacts
{
    public required HostConfiguration Host { get; init; }

    /// <summary>What the server told of itself; null when it could not be asked.</summary>
    public ServerFacts? Server { get; init; }

    /// <summary>Why it could not be asked; null when it could.</summary>
    public HostFailure? Failure { get; init; }

    /// <summary>How the router sees it.</summary>
    public required HostHealth Health { get; init; }

    public string Name => Host.Name;
}
