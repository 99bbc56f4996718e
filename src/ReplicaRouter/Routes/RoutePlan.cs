using System.Collections.Immutable;
using Npgsql;

namespace ReplicaRouter.Routes;

/// <summary>A route in the form that choices use: its tiers, best first, and its limits.</summary>
internal sealed record RoutePlan
{
    /// <summary>Position in the configuration, which indexes arrays of counters and pools.</summary>
    public required int Index { get; init; }

    public required string Name { get; init; }

    /// <summary>The database of its connections; null for that of the connection strings.</summary>
    public Database? Database { get; init; }

    public required ImmutableArray<RouteTier> Tiers { get; init; }

    /// <summary>The tier that serves a call when all hosts are healthy.</summary>
    public RouteTier FirstTier => Consistency == Consistency.Strong ? RouteTier.OnlyPrimary[0] : Tiers[0];

    public required TimeSpan MaxLag { get; init; }
    public required bool IsReadOnly { get; init; }
    public required TimeSpan Wait { get; init; }

    /// <summary>How long a read waits for a replica to catch up with its session, rather than fall back to the primary.</summary>
    public required TimeSpan CatchUpWait { get; init; }

    public required Consistency Consistency { get; init; }
    public required PoolSettings Pool { get; init; }
    public required int MaxWaiting { get; init; }
    public required bool Hedge { get; init; }
    public required ReadPriority Priority { get; init; }

    public bool HasPrimary => Tiers.Contains(RouteTier.OnlyPrimary[0]);

    public bool SaysTheSameAs(RoutePlan other) => this with { Tiers = other.Tiers } == other && Tiers.SequenceEqual(other.Tiers);
}

/// <summary>One tier of a route: the current primary, or the replicas among the members of a group.</summary>
internal readonly record struct RouteTier(string Group)
{
    /// <summary>The tiers of a strong read on any route.</summary>
    public static readonly ImmutableArray<RouteTier> OnlyPrimary = [new(HostNames.Primary)];

    /// <summary>Whether the tier is the observed primary.</summary>
    public bool IsPrimary { get; } = Group == HostNames.Primary;
}

/// <summary>The settings of a route's pool to one host. Null takes the connection string's value.</summary>
internal sealed record PoolSettings(int? MaxPoolSize, int? MinPoolSize, TimeSpan? ConnectTimeout, TimeSpan? CommandTimeout, string ApplicationName)
{
    public required int DefaultMaxPoolSize { get; init; }
    public required TimeSpan DefaultCommandTimeout { get; init; }

    /// <summary>Most connections to a host that is connected to by these settings.</summary>
    public int MostConnections(NpgsqlConnectionStringBuilder settings) => MaxPoolSize ?? Given(settings, "Maximum Pool Size", settings.MaxPoolSize, DefaultMaxPoolSize);

    public static int Given(NpgsqlConnectionStringBuilder settings, string key, int given, int otherwise) =>
        settings.ShouldSerialize(key) ? given : otherwise;
}
