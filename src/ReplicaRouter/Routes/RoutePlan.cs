using System.Collections.Immutable;
using Npgsql;

namespace ReplicaRouter.Routes;

/// <summary>A route, ready to choose by: its groups as sets of hosts, best first, and its limits.</summary>
internal sealed record RoutePlan
{
    /// <summary>Position in the configuration; counters and pools are arrays by it.</summary>
    public required int Index { get; init; }

    public required string Name { get; init; }

    /// <summary>The database that its connections lead to; null for the one of the connection strings.</summary>
    public Database? Database { get; init; }

    public required ImmutableArray<RouteTier> Tiers { get; init; }

    /// <summary>The step that a call is served by when all is well.</summary>
    public RouteTier FirstTier => Consistency == Consistency.Strong ? RouteTier.OnlyPrimary[0] : Tiers[0];

    public required TimeSpan MaxLag { get; init; }
    public required bool IsReadOnly { get; init; }
    public required TimeSpan Wait { get; init; }

    /// <summary>How long a read waits for a replica to catch up with its session: what the route would rather wait than have the primary serve the read.</summary>
    public required TimeSpan CatchUpWait { get; init; }

    public required Consistency Consistency { get; init; }
    public required PoolSettings Pool { get; init; }

    /// <summary>Operations that may wait for a host at once.</summary>
    public required int MaxWaiting { get; init; }

    /// <summary>Whether slow reads are given a second run beside the first.</summary>
    public required bool Hedge { get; init; }

    public required ReadPriority Priority { get; init; }

    public bool HasPrimary => Tiers.Contains(RouteTier.OnlyPrimary[0]);

    public bool SaysTheSameAs(RoutePlan other) => this with { Tiers = other.Tiers } == other && Tiers.SequenceEqual(other.Tiers);
}

/// <summary>One step of a route: whichever host is the primary, or the replicas among the members of a group.</summary>
internal readonly record struct RouteTier(string Group)
{
    /// <summary>The steps of a strong read, whatever its route.</summary>
    public static readonly ImmutableArray<RouteTier> OnlyPrimary = [new(HostNames.Primary)];

    /// <summary>Whether the step is the primary, by observation.</summary>
    public bool IsPrimary { get; } = Group == HostNames.Primary;
}

/// <summary>How a route's connections to one host are kept. Null takes what the connection string says.</summary>
internal sealed record PoolSettings(int? MaxPoolSize, int? MinPoolSize, TimeSpan? ConnectTimeout, TimeSpan? CommandTimeout, string ApplicationName)
{
    public required int DefaultMaxPoolSize { get; init; }
    public required TimeSpan DefaultCommandTimeout { get; init; }

    /// <summary>Most connections to a host that is connected to by these settings.</summary>
    public int MostConnections(NpgsqlConnectionStringBuilder settings) => MaxPoolSize ?? Given(settings, "Maximum Pool Size", settings.MaxPoolSize, DefaultMaxPoolSize);

    public static int Given(NpgsqlConnectionStringBuilder settings, string key, int given, int otherwise) =>
        settings.ShouldSerialize(key) ? given : otherwise;
}
