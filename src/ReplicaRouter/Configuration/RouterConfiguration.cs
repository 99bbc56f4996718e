using System.Collections.Immutable;
using Npgsql;

namespace ReplicaRouter.Configuration;

/// <summary>The validated configuration: the options, with all defaults filled in.</summary>
internal sealed record RouterConfiguration
{
    /// <summary>Maximum number of hosts: a set of hosts fits one machine word.</summary>
    public const int MostHosts = 64;

    /// <summary>The router's name in metrics, traces and logs; null for the unnamed router.</summary>
    public string? Name { get; init; }

    /// <summary>The configured hosts. Snapshots contain the current hosts, which discovery and reloads change.</summary>
    public required ImmutableArray<HostConfiguration> Hosts { get; init; }

    /// <summary>The routes. The index of a built-in route is the value of its operation.</summary>
    public required ImmutableArray<RoutePlan> Routes { get; init; }

    public required HealthSettings Health { get; init; }

    /// <summary>The usual lower bound of concurrent fallback reads on the primary: two, so that one long read does not block all others.</summary>
    public const int UsualLeastPrimaryReads = 2;

    /// <summary>Lowest limit of concurrent fallback reads on the primary, even in overload.</summary>
    public int LeastPrimaryReads { get; init; } = UsualLeastPrimaryReads;

    /// <summary>Highest limit of concurrent fallback reads on the primary, even if it could serve more.</summary>
    public required int PrimaryReads { get; init; }
    public required int? PrimaryReadsPerSecond { get; init; }
    public required TimeSpan ForcedFailoverDuration { get; init; }
    public required TimeSpan DrainTimeout { get; init; }
    public required TimeSpan AskIdleAfter { get; init; }
    public required HostLogin Login { get; init; }
    public required ImmutableArray<IHostDiscoverySource> Sources { get; init; }
    public required DiscoverySettings Discovery { get; init; }

    /// <summary>How long a session's reads stay on the primary after a write; null if sessions track WAL positions.</summary>
    public required TimeSpan? SessionWindow { get; init; }

    /// <summary>The secrets whose signatures are accepted; the first one signs. Empty if tokens are not signed.</summary>
    public required ImmutableArray<byte[]> TokenSecrets { get; init; }

    /// <summary>The data source of a router for a single server; null for a cluster.</summary>
    public NpgsqlDataSource? SingleServer { get; init; }

    /// <summary>Returns this configuration with routes that lead to another database.</summary>
    public RouterConfiguration For(Database database) => this with { Routes = [.. Routes.Select(route => route with { Database = database })] };

    /// <summary>Whether another configuration is equal in everything except the hosts.</summary>
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

internal sealed record HostConfiguration
{
    /// <summary>The host's bit in sets of hosts, and its index in arrays beside the snapshots. Constant while the host exists.</summary>
    public required int Index { get; init; }

    /// <summary>Timestamp at which the host was added to a running router; 0 for initial hosts. Distinguishes the host from an earlier one with the same index.</summary>
    public long AddedAt { get; init; }

    public required string Name { get; init; }
    public required NpgsqlConnectionStringBuilder Connection { get; init; }
    public required ImmutableArray<string> Groups { get; init; }
    public required ImmutableArray<string> Labels { get; init; }

    /// <summary>The host's share of the work, relative to the group's other hosts.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Whether a discovery source named the host, not the configuration.</summary>
    public bool IsDiscovered { get; init; }

    /// <summary>The variable or configuration key that names the host, for messages.</summary>
    public required string Source { get; init; }

    /// <summary>Whether this is the host where the router looks for the primary first.</summary>
    public bool IsConfiguredPrimary => Name == HostNames.Primary;

    public ulong Bit => 1UL << Index;
    public string Endpoint => $"{Connection.Host}:{Connection.Port}";

    /// <summary>Returns the name and endpoint, without the connection string, which contains the password.</summary>
    public override string ToString() => $"{Name} ({Endpoint})";

    /// <summary>Whether this is the same host as before, possibly with other settings.</summary>
    public bool IsSameHost(HostConfiguration before) => Name == before.Name && HasEndpoint(before.Endpoint);

    /// <summary>Whether this is the host's endpoint, as <c>host:port</c>.</summary>
    public bool HasEndpoint(string endpoint) => Endpoint.Equals(endpoint, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether this is the same member of the topology: its index and time of addition stay the same when its settings change.</summary>
    public bool IsSameMember(HostConfiguration? other) => other is not null && Index == other.Index && AddedAt == other.AddedAt;

    public bool IsReachedAs(HostConfiguration before) => Connection.ConnectionString == before.Connection.ConnectionString;

    public bool ServesAs(HostConfiguration before) => Weight == before.Weight && IsDiscovered == before.IsDiscovered && Groups.SequenceEqual(before.Groups) && Labels.SequenceEqual(before.Labels);
}

/// <summary>How hosts are probed: the options, the lowest lag limit of any route, and values derived from them.</summary>
internal sealed record HealthSettings(TimeSpan Interval, TimeSpan Timeout, TimeSpan MaxLag, TimeSpan LeastLag)
{
    /// <summary>When a replica's position is compared with the primary's, each can be up to one jittered interval (1.25) old.</summary>
    public const double IntervalsPerLag = 2.5;

    /// <summary>Maximum number of successive time-outs that a pause of our own process excuses.</summary>
    public const int MaxDiscarded = 3;

    /// <summary>Probes per second that a server answers for all routers together: at 0.1 ms each, 1 % of a core.</summary>
    private const double FleetProbesPerSecond = 90;

    /// <summary>Each router probes at least this often, however large the fleet is.</summary>
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(30);

    /// <summary>Age at which an observation expires: the host counts as unknown until it answers again.</summary>
    public TimeSpan Lifetime { get; } = TimeSpan.Max(5 * Interval, Interval + (2 * Timeout));

    /// <summary>The longest interval at which probes can prove the lag limits of all routes.</summary>
    private TimeSpan ProvingInterval => TimeSpan.Max(Interval, TimeSpan.Min(LeastLag, Lifetime) / IntervalsPerLag);

    /// <summary>Returns the time between two probes of a host by each router of a fleet, which shares the probes that a server can spare.</summary>
    public TimeSpan IntervalOf(int probers) => TimeSpan.Max(ShareOf(probers), Interval);

    /// <summary>Returns the shortest time between two queries of a host by each router of a fleet, at which they all together send no more than it can spare.</summary>
    public static TimeSpan ShareOf(int probers) => TimeSpan.Min(TimeSpan.FromSeconds(probers / FleetProbesPerSecond), LongestInterval);

    /// <summary>
    /// Returns the time between the two answers that prove a host's recovery. It spreads the logins of the fleet: routers that start to use the host log in
    /// after most others have logged in to probe it.
    /// </summary>
    public static TimeSpan ProofOf(int probers) => 0.79 * ShareOf(probers);

    /// <summary>
    /// Returns what the longer interval of a large fleet adds to the maximum age of a host's answer. The lag in the answer must still be within the limit, but
    /// the fleet can't prove as often as the routes require that it has not grown since.
    /// </summary>
    public TimeSpan LeewayOf(int probers) => IntervalsPerLag * TimeSpan.Max(IntervalOf(probers) - ProvingInterval, TimeSpan.Zero);

    /// <summary>Whether a deadline was noticed far too late: our own process was paused or starved of CPU, and the time-out says nothing about the host.</summary>
    public static bool WasPaused(long since, TimeSpan deadline, TimeProvider time) => time.GetElapsedTime(since) > (1.5 * deadline) + TimeSpan.FromMilliseconds(20);
}
