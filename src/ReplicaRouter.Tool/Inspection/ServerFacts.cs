using System.Collections.Immutable;
using System.Globalization;

namespace ReplicaRouter.Tool.Inspection;

/// <summary>What a server reported about itself.</summary>
internal sealed record ServerFacts
{
    public required HostAnswer Answer { get; init; }

    /// <summary>All of <c>pg_settings</c> as our own role sees it, each in its own unit.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>The shortest of a few round trips, in ms.</summary>
    public required double LatencyMs { get; init; }

    /// <summary>All clients' connections to databases.</summary>
    public required int Connections { get; init; }

    public required RoleFacts Role { get; init; }
    public required ImmutableArray<SlotFacts> Slots { get; init; }

    /// <summary>Whether replay is paused; false on a primary.</summary>
    public required bool IsReplayPaused { get; init; }

    /// <summary>How far the server's clock is ahead of ours.</summary>
    public required TimeSpan ClockOffset { get; init; }

    /// <summary>The largest error of <see cref="ClockOffset"/>: half of the round trip.</summary>
    public required TimeSpan ClockError { get; init; }

    /// <summary>The pooler in between; null when the server itself answers.</summary>
    public PoolerFacts? Pooler { get; init; }

    public int MaxConnections => Convert.ToInt32(Number("max_connections"));

    /// <summary>Connections that are available to ordinary roles.</summary>
    public int UsableConnections => Convert.ToInt32(Number("max_connections") - Number("superuser_reserved_connections") - Number("reserved_connections"));

    /// <summary>The version, such as 15.4.</summary>
    public string Version => string.Create(CultureInfo.InvariantCulture, $"{VersionNumber / 10000}.{VersionNumber % 10000}");

    public int Major => VersionNumber / 10000;

    private int VersionNumber => Convert.ToInt32(Number("server_version_num"));

    /// <summary>A setting's value; empty where the server has no such setting.</summary>
    public string Setting(string name) => Settings.GetValueOrDefault(name, "");

    /// <summary>A setting's value in its own unit; 0 where the server has no such setting.</summary>
    public long Number(string name) => long.TryParse(Setting(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0;
}

/// <summary>The role that we log in as.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsSuperuser">Whether it is a superuser.</param>
/// <param name="CanReadStatistics">Whether it sees other roles' sessions and the standbys' positions, as members of <c>pg_monitor</c> do.</param>
internal sealed record RoleFacts(string Name, bool IsSuperuser, bool CanReadStatistics);

/// <summary>A replication slot.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsActive">Whether a client is reading from it.</param>
/// <param name="HeldBytes">WAL that the server must keep for it; null when it keeps none.</param>
/// <param name="WalStatus">PostgreSQL's <c>wal_status</c>: <c>reserved</c>, <c>extended</c>, <c>unreserved</c>, <c>lost</c>; null when it keeps none.</param>
internal sealed record SlotFacts(string Name, bool IsActive, long? HeldBytes, string? WalStatus);

/// <summary>A connection pooler between us and a server.</summary>
/// <param name="Mode">When it gives a server connection to another client.</param>
/// <param name="KeepsPreparedStatements">Whether a prepared statement works on every server connection.</param>
internal sealed record PoolerFacts(PoolerMode Mode, bool KeepsPreparedStatements);

/// <summary>When a pooler gives a server connection to another client.</summary>
internal enum PoolerMode
{
    /// <summary>When its client disconnects.</summary>
    Session,

    /// <summary>After each transaction.</summary>
    Transaction,
}
