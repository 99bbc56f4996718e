using Npgsql;

namespace ReplicaRouter.Attempts;

/// <summary>The hosts that have failed an operation, and how; and those to leave out from the start, one bit each.</summary>
internal sealed class FailedHosts(ulong excluded = 0)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMilliseconds(400);

    private ulong _refusedBy;
    private long _lastFailureAt;
    private TimeSpan _backoff;

    /// <summary>Hosts that the operation is not sent to until they have answered a probe, one bit each.</summary>
    public ulong Excluded { get; private set; } = excluded;

    /// <summary>What the last of them met.</summary>
    public Exception? LastFailure { get; private set; }

    /// <summary>Why hosts refused it, by name, where their own state does not say so.</summary>
    public Dictionary<string, string>? Refusals { get; private set; }

    /// <summary>Queries that were in the way of a standby's replay. The next standby would cancel it as well.</summary>
    public int Conflicts { get; set; }

    /// <summary>A first run that met an error which its host alone may have. Another host is tried once, and waited for not at all.</summary>
    public (HostConfiguration Host, PostgresException Error)? FirstRun { get; set; }

    /// <inheritdoc cref="Attempt.Exclude"/>
    public void Exclude(HostConfiguration host, Exception failure, Database? database, long failedAt, string? reason)
    {
        Excluded |= host.Bit;
        (LastFailure, _lastFailureAt) = (failure, failedAt);
        // Of what it meant for the host, the host's own state tells no more than this.
        var described = FailureClassifier.Describe(failure, host, database);
        if (reason is not null || described.Kind is FailureKind.Misconfigured or FailureKind.None) (Refusals ??= [])[host.Name] = reason ?? described.Message;
        if (described.Kind == FailureKind.Misconfigured && database is not null) _refusedBy |= host.Bit;
    }

    /// <summary>Why the operation's database can't be used, though its cluster can: the primary itself refuses it. A replica may only not have it yet.</summary>
    /// <returns>Null where that is not known.</returns>
    public string? RefusalBy(HostSnapshot? primary) => primary is not null && (_refusedBy & primary.Configuration.Bit) != 0 ? Refusals![primary.Name] : null;

    /// <summary>Lets hosts be tried again that have answered a probe since the last failure.</summary>
    /// <returns>Whether there are any.</returns>
    public bool ForgiveAnswered(TopologySnapshot topology)
    {
        var before = Excluded;
        foreach (var host in topology.Hosts)
        {
            if (host.LastAnswered is { } answered && answered.SentAt >= _lastFailureAt) Excluded &= ~host.Configuration.Bit;
        }

        return Excluded != before;
    }

    /// <summary>Time before a host is tried again: doubled each time, at random up to its full length.</summary>
    public TimeSpan NextBackoff(Random random)
    {
        _backoff = _backoff == TimeSpan.Zero ? FirstBackoff : _backoff < LongestBackoff ? 2 * _backoff : LongestBackoff;
        return _backoff * random.NextDouble();
    }
}
