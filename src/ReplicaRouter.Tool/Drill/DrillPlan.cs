using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Drill;

/// <summary>What a drill is allowed to do.</summary>
internal sealed record DrillPlan
{
    public required Target Target { get; init; }

    /// <summary>The shortest duration of a phase.</summary>
    public required TimeSpan Phase { get; init; }

    public required int Workers { get; init; }

    /// <summary>The replica to drain, and to kill if that is allowed; null for the first one that serves reads.</summary>
    public required string? Replica { get; init; }

    public required bool Writes { get; init; }

    /// <summary>Whether a replica of the local cluster is killed and started again.</summary>
    public required bool KillReplica { get; init; }

    /// <summary>Whether the primary of the local cluster is killed and a replica promoted.</summary>
    public required bool Promote { get; init; }

    public required string? StopCommand { get; init; }
    public required string? PromoteCommand { get; init; }

    /// <summary>Returns what the user must agree to, line by line.</summary>
    public IEnumerable<string> Describe()
    {
        yield return $"The drill reads (SELECT 1) from {string.Join(", ", Target.Configuration.Hosts.Select(host => $"{host.Name} at {host.Endpoint}"))}.";
        yield return "It drains a replica and forces reads to the primary, in its own router only. Running applications are not affected.";
        if (Writes) yield return $"It creates the table {DrillWrites.Table} on the primary, writes to it, and drops it.";
        if (KillReplica) yield return "It kills a replica of this local cluster (kill -9), and starts it again.";
        if (Promote) yield return "It kills the primary of this local cluster (kill -9), promotes a replica, and brings the old primary back as a replica.";
        if (StopCommand is not null) yield return "It runs your --stop-command.";
        if (PromoteCommand is not null) yield return "It runs your --promote-command.";
    }

    /// <exception cref="ToolException">The options contradict each other, or name an unknown host.</exception>
    public void Check()
    {
        if (Target.LocalFolder is null && (KillReplica || Promote))
            throw new ToolException("--kill-replica and --promote are for clusters that 'cluster up' started: name one with --local. Otherwise use --stop-command and --promote-command.");
        if (Promote && (StopCommand ?? PromoteCommand) is not null)
            throw new ToolException("--promote cannot be combined with --stop-command or --promote-command.");
        if (Replica is { } name && Target.Configuration.Hosts.All(host => host.Name != name))
            throw new ToolException($"There is no host '{name}'. The hosts are: {string.Join(", ", Target.Configuration.Hosts.Select(host => host.Name))}.");
    }
}
