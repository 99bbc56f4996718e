using System.Collections.Immutable;
using Npgsql;

namespace ReplicaRouter.Configuration;

/// <summary>The desired configuration, checked and complete: what the options say and the defaults fill in.</summary>
internal sealed record RouterConfiguration
{
    /// <summary>Most hosts that a router serves: a set of hosts is one machine word.</summary>
    public const int MostHosts = 64;

    /// <summary>The router's name in metrics, traces and logs; null for the one without.</summary>
    public string? Name { get; init; }

    /// <summary>The hosts that are configured. Which ones there are at a moment, discovery and later configurations included, a snapshot tells.</summary>
    public required ImmutableArray<HostConfiguration> Hosts { get; init; }

    /// <summary>The routes; a built-in one stands at the index of its operation's value.</summary>
    public required ImmutableArray<RoutePlan> Routes { get; init; }

    public required HealthSettings Health { get; init; }

    /// <summary>Fewest fallback reads at once on the primary, whatever it bears: two, so that one long read does not keep out all others.</summary>
    public const int UsualLeastPrimaryReads = 2;

    /// <inheritdoc cref="UsualLeastPrimaryReads"/>
    public int LeastPrimaryReads { get; init; } = UsualLeastPrimaryReads;

    /// <summary>Most fallback reads at once on the primary, even if it bears more.</summary>
    public required int PrimaryReads { get; init; }
    public required int? PrimaryReadsPerSecond { get; init; }
    public required TimeSpan ForcedFailoverDuration { get; init; }
    public required TimeSpan DrainTimeout { get; init; }
    public required TimeSpan AskIdleAfter { get; init; }
    public required Action<NpgsqlDataSourceBuilder>? ConfigureDataSource { get; init; }
    public required Func<PasswordRequest, CancellationToken, ValueTask<string>>? PasswordProvider { get; init; }

    public HostLogin Login => new(PasswordProvider, ConfigureDataSource, Name);

    public required ImmutableArray<IHostDiscoverySource> Sources { get; init; }
    public required DiscoverySettings Discovery { get; init; }

    /// <summary>How long after a write a session's reads stay on the primary, where WAL positions can't be used; else null.</summary>
    public required TimeSpan? SessionWindow { get; init; }

    /// <summary>What tokens may be signed with; the first one signs. Empty when they are not signed.</summary>
    public required ImmutableArray<byte[]> TokenSecrets { get; init; }

    /// <summary>The data source of the one server that everything goes to; null where there is a cluster.</summary>
    public NpgsqlDataSource? SingleServer { get; init; }

    /// <summary>The same with routes that lead to another database.</summary>
    public RouterConfiguration For(Database database) => this with { Routes = [.. Routes.Select(route => route with { Database = database })] };

    /// <summary>Whether it says the same as another one of all but the hosts.</summary>
    public bool EqualsBeyondHosts(RouterConfiguration other) =>
        Health == other.Health && PrimaryReads == other.PrimaryReads && PrimaryReadsPerSecond == other.PrimaryReadsPerSecond
        && ForcedFailoverDuration == other.ForcedFailoverDuration && DrainTimeout == other.DrainTimeout && SessionWindow == other.SessionWindow
        && Discovery.SaysTheSameAs(other.Discovery)
        && Sources.Select(source => source.Name).SequenceEqual(other.Sources.Select(source => source.Name))
        && TokenSecrets.SequenceEqual(other.TokenSecrets, (one, another) => one.AsSpan().SequenceEqual(another))
        && Routes.SequenceEqual(other.Routes, (one, another) => one.SaysTheSameAs(another));

    /// <exception cref="ArgumentException">The options define no such route.</exception>
    public RoutePlan PlanOf(DatabaseRoute route) => route.BuiltIn is { } operation ? Routes[(int)operation] : PlanOf(route.Name);

    private RoutePlan PlanOf(string route)
    {
        foreach (var plan in Routes)
        {
            if (plan.Name.Equals(route, StringComparison.OrdinalIgnoreCase)) return plan;
        }

        throw new ArgumentException($"There is no route '{route}'. The options define: {string.Join(", ", Routes.Select(r => r.Name))}.", nameof(route));
    }
}

/// <summary>One host as it is configured.</summary>
internal sealed record HostConfiguration
{
    /// <summary>The host's bit in a set of hosts, and its place beside the snapshots. It keeps it for as long as it is there.</summary>
    public required int Index { get; init; }

    /// <summary>Timestamp at which it was added to a running router; 0 for those that it started with. It tells a host from another one that had its index before.</summary>
    public long AddedAt { get; init; }

    public required string Name { get; init; }
    public required NpgsqlConnectionStringBuilder Connection { get; init; }
    public required ImmutableArray<string> Groups { get; init; }
    public required ImmutableArray<string> Labels { get; init; }

    /// <summary>Its share of the work, compared with the weights of its group's other hosts.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Whether a source of hosts named it, rather than the configuration.</summary>
    public bool IsDiscovered { get; init; }

    /// <summary>The variable or configuration key that names the host, for messages.</summary>
    public required string Source { get; init; }

    /// <summary>Whether this is where the configuration says to look for the primary first.</summary>
    public bool IsConfiguredPrimary => Name == HostNames.Primary;

    public ulong Bit => 1UL << Index;
    public string Endpoint => $"{Connection.Host}:{Connection.Port}";

    /// <summary>Without the connection string, which holds the password.</summary>
    public override string ToString() => $"{Name} ({Endpoint})";

    /// <summary>Whether it is the same host as before, if perhaps with other settings.</summary>
    public bool IsSameHost(HostConfiguration before) => Name == before.Name && HasEndpoint(before.Endpoint);

    /// <summary>Whether it is reached at an address, as <c>host:port</c>.</summary>
    public bool HasEndpoint(string endpoint) => Endpoint.Equals(endpoint, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it is the same member of the topology, which keeps its index and the moment at which it was added whatever its settings become.</summary>
    public bool IsSameMember(HostConfiguration? other) => other is not null && Index == other.Index && AddedAt == other.AddedAt;

    public bool IsReachedAs(HostConfiguration before) => Connection.ConnectionString == before.Connection.ConnectionString;

    public bool ServesAs(HostConfiguration before) => Weight == before.Weight && IsDiscovered == before.IsDiscovered && Groups.SequenceEqual(before.Groups) && Labels.SequenceEqual(before.Labels);
}

/// <summary>How hosts are watched: what the options say, the shortest lag that a route allows, and what follows from them.</summary>
internal sealed record HealthSettings(TimeSpan Interval, TimeSpan Timeout, TimeSpan MaxLag, TimeSpan LeastLag)
{
    /// <summary>A replica's position and the primary's are each up to one jittered interval (1.25) old when they are compared.</summary>
    public const double IntervalsPerLag = 2.5;

    /// <summary>Questions in a row that our own process spoilt, after which their outcome counts all the same.</summary>
    public const int MostVoid = 3;

    /// <summary>Probes a second that one server answers to all routers together: at 0.1 ms each, a hundredth of a core.</summary>
    private const double FleetProbesPerSecond = 90;

    /// <summary>However large the fleet is, each router asks as often.</summary>
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(30);

    /// <summary>Age at which an observation is no longer believed: the host counts as unknown until it answers again.</summary>
    public TimeSpan Lifetime { get; } = TimeSpan.Max(5 * Interval, Interval + (2 * Timeout));

    /// <summary>The interval up to which probes prove the lags that routes allow.</summary>
    private TimeSpan ProvingInterval => TimeSpan.Max(Interval, TimeSpan.Min(LeastLag, Lifetime) / IntervalsPerLag);

    /// <summary>Time between two probes of a host by one of many routers: a fleet shares what a server can spare.</summary>
    public TimeSpan IntervalOf(int probers) => TimeSpan.Max(ShareOf(probers), Interval);

    /// <summary>Time in which one of many routers may ask a host once, for all of them together to ask no more than it can spare.</summary>
    public static TimeSpan ShareOf(int probers) => TimeSpan.Min(TimeSpan.FromSeconds(probers / FleetProbesPerSecond), LongestInterval);

    /// <summary>
    /// Time between the two answers by which a host shows that it is back. It spreads the fleet: those who begin to work there log in once most others have
    /// logged in to look.
    /// </summary>
    public static TimeSpan ProofOf(int probers) => 0.79 * ShareOf(probers);

    /// <summary>
    /// What the long interval of a large fleet adds to the age up to which a host's answer counts. The lag that the answer shows must be within the limit as
    /// ever; but that it has not grown since can't be proven as often as routes ask for.
    /// </summary>
    public TimeSpan LeewayOf(int probers) => IntervalsPerLag * TimeSpan.Max(IntervalOf(probers) - ProvingInterval, TimeSpan.Zero);

    /// <summary>Whether a deadline was noticed much too late: our own process was paused, or has no CPU, and what it missed says nothing of the host.</summary>
    public static bool WasPaused(long since, TimeSpan deadline, TimeProvider time) => time.GetElapsedTime(since) > (1.5 * deadline) + TimeSpan.FromMilliseconds(20);
}
