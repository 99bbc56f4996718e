using System.Collections.Immutable;

namespace ReplicaRouter.Selection;

/// <summary>What one choice of a host must satisfy: its timestamp, the highest replication lag in timestamp units, and the labels that a replica must carry.</summary>
internal readonly record struct RouteRequest(long Now, long MaxLag, ImmutableArray<string> Labels)
{
    /// <summary>Hosts that may not be chosen, such as those that this operation has already tried; one bit each.</summary>
    public ulong Excluded { get; init; }

    /// <summary>Whether only the primary may serve.</summary>
    public bool IsStrong { get; init; }

    /// <summary>Whether the primary must serve in place of the replicas, because the session wrote recently and positions can't be used.</summary>
    public bool IsKeptOnPrimary { get; init; }

    public ImmutableArray<RouteTier> TiersOf(RoutePlan plan) => IsStrong || IsKeptOnPrimary ? RouteTier.OnlyPrimary : plan.Tiers;

    /// <summary>Whether it is a hedged attempt, which neither the primary nor a slow host may serve.</summary>
    public bool IsHedge { get; init; }

    /// <summary>The position that a replica must have replayed, and whose timeline a primary must have reached.</summary>
    public WalPosition Floor { get; init; }

    /// <summary>The host to choose if it is among the best, as a bit.</summary>
    public ulong Preferred { get; init; }

    public static RouteRequest For(RoutePlan plan, OperationOptions? options, TimeProvider time) =>
        new(time.GetTimestamp(), time.Ticks(options?.MaxLag ?? plan.MaxLag), options?.Labels ?? default) { IsStrong = (options?.Consistency ?? plan.Consistency) == Consistency.Strong };
}
