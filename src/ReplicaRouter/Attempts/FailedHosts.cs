using Npgsql;

namespace ReplicaRouter.Attempts;

/// <summary>The hosts on which an operation has failed, and how.</summary>
/// <param name="excluded">Hosts to exclude from the start, one bit each.</param>
internal sealed class FailedHosts(ulong excluded = 0)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMilliseconds(400);

    private ulong _refusedBy;
    private long _lastFailureAt;
    private TimeSpan _backoff;

    /// <summary>Hosts that are excluded until they answer a probe, one bit each.</summary>
    public ulong Excluded { get; private set; } = excluded;

    /// <summary>The failure on the last of them.</summary>
    public Exception? LastFailure { get; private set; }

    /// <summary>Why hosts refused the operation, by host name, where their own state does not show it.</summary>
    public Dictionary<string, string>? Refusals { get; private set; }

    /// <summary>Recovery conflicts so far. The next standby would cancel the query, too.</summary>
    public int Conflicts { get; set; }

    /// <summary>A first attempt whose error may be specific to its host. The work is retried once on another host, without waiting for one.</summary>
    public (HostConfiguration Host, PostgresException Error)? FirstRun { get; set; }

    /// <inheritdoc cref="Attempt.Exclude"/>
    public void Exclude(HostConfiguration host, Exception failure, Database? database, long failedAt, string? reason)
    {
        Excluded |= host.Bit;
        (LastFailure, _lastFailureAt) = (failure, failedAt);
        // For other kinds of failure, the host's own state shows as much.
        var described = FailureClassifier.Describe(failure, host, database);
        if (reason is not null || described.Kind is FailureKind.Misconfigured or FailureKind.None) (Refusals ??= [])[host.Name] = reason ?? described.Message;
        if (described.Kind == FailureKind.Misconfigured && database is not null) _refusedBy |= host.Bit;
    }

    /// <summary>
    /// Returns why the primary refuses the operation's database, though the cluster works. A replica's refusal does not count: it may not have replayed the database yet.
    /// </summary>
    /// <returns>Null if the primary has not refused it.</returns>
    public string? RefusalBy(HostSnapshot? primary) => primary is not null && (_refusedBy & primary.Configuration.Bit) != 0 ? Refusals![primary.Name] : null;

    /// <summary>Re-admits the hosts that have answered a probe since the last failure.</summary>
    /// <returns>Whether there were any.</returns>
    public bool ClearAnswered(TopologySnapshot topology)
    {
        var before = Excluded;
        foreach (var host in topology.Hosts)
        {
            if (host.LastAnswered is { } answered && answered.SentAt >= _lastFailureAt) Excluded &= ~host.Configuration.Bit;
        }

        return Excluded != before;
    }

    /// <summary>Returns the pause before a host is tried again: random up to a limit that doubles each time.</summary>
    public TimeSpan NextBackoff(Random random)
    {
        _backoff = _backoff == TimeSpan.Zero ? FirstBackoff : _backoff < LongestBackoff ? 2 * _backoff : LongestBackoff;
        return _backoff * random.NextDouble();
    }
}
