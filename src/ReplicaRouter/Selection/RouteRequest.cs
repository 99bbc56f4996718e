using System.Collections.Immutable;

namespace ReplicaRouter.Selection;

/// <summary>What one choice of a host is asked for: at which timestamp, with how much replication lag at most, in timestamp units, and which labels a replica must carry.</summary>
internal readonly record struct RouteRequest(long Now, long MaxLag, ImmutableArray<string> Labels)
{
    /// <summary>Hosts that this operation has already tried, one bit each.</summary>
    public ulong Excluded { get; init; }

    /// <summary>Whether only the primary will do.</summary>
    public bool IsStrong { get; init; }

    /// <summary>Whether only the primary will do because the session wrote lately, and positions can't be used. It serves in place of the replicas.</summary>
    public bool IsKeptOnPrimary { get; init; }

    /// <summary>The groups that may serve it, in their order.</summary>
    public ImmutableArray<RouteTier> TiersOf(RoutePlan plan) => IsStrong || IsKeptOnPrimary ? RouteTier.OnlyPrimary : plan.Tiers;

    /// <summary>Whether it is run a second time beside a first run: the primary will not do, nor hosts that are slow.</summary>
    public bool IsSecondRun { get; init; }

    /// <summary>What a replica must have replayed, and whose timeline a primary must have reached.</summary>
    public WalPosition Floor { get; init; }

    /// <summary>The host to be taken if it is among the best, as a bit.</summary>
    public ulong Preferred { get; init; }

    public static RouteRequest For(RoutePlan plan, OperationOptions? options, TimeProvider time) =>
        new(time.GetTimestamp(), time.Ticks(options?.MaxLag ?? plan.MaxLag), options?.Labels ?? default) { IsStrong = (options?.Consistency ?? plan.Consistency) == Consistency.Strong };
}
