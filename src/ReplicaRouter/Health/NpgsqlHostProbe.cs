using Npgsql;

namespace ReplicaRouter.Health;

/// <summary>Probes a host over its own connection, which is kept open and is never from a pool that callers use.</summary>
internal sealed class NpgsqlHostProbe(HostConfiguration host, TimeSpan timeout, TimeProvider time, HostLogin login = default) : IHostProbe
{
    private static readonly TimeSpan MaxTimelineAge = TimeSpan.FromMilliseconds(500);

    /// <summary>Time between two queries for all types if new ones are created all the time, as by temporary tables.</summary>
    private static readonly TimeSpan TypesInterval = TimeSpan.FromSeconds(10);

    private readonly NpgsqlDataSource _dataSource = DataSourceOf(host, timeout, login);
    private Session? _kept;
    private volatile KnownTypes? _types;
    private volatile bool _mayPrepare = true;
    private volatile int _probers = 1;
    private volatile bool _isDisposed;

    public async Task<HostAnswer> ProbeAsync(CancellationToken cancellationToken)
    {
        // Take the connection out while in use: an abandoned probe must not share it with the next one.
        if (Interlocked.Exchange(ref _kept, null) is { } kept)
        {
            try
            {
                return await AskAndKeepAsync(kept, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (FailureClassifier.Classify(e, FailureSite.Opening) is FailureKind.Unreachable or FailureKind.Terminated)
            {
                // One terminated connection does not prove that the host is down. Try a new login.
            }
            catch (PostgresException e) when (_mayPrepare && e.SqlState is PostgresErrorCodes.InvalidSqlStatementName or PostgresErrorCodes.DuplicatePreparedStatement)
            {
                _mayPrepare = false;
            }
        }

        return await LoginAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task<HostAnswer> LoginAsync(CancellationToken cancellationToken)
    {
        var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        return await AskAndKeepAsync(new Session(connection), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        if (Interlocked.Exchange(ref _kept, null) is { } kept) await kept.Connection.DisposeAsync().ConfigureAwait(false);
        await _dataSource.DisposeAsync().ConfigureAwait(false);
    }

    private static NpgsqlDataSource DataSourceOf(HostConfiguration host, TimeSpan timeout, HostLogin login)
    {
        var builder = Credentials.Unpooled(host, login);
        builder.Name = login.Router is { } router ? $"{router}/{host.Name}/probe" : $"{host.Name}/probe";
        var settings = builder.ConnectionStringBuilder;
        settings.Timeout = Math.Max(1, (int)Math.Ceiling(timeout.TotalSeconds));
        // No time-out, and no cancellation of a late probe: for either, Npgsql would send a cancel request to the hung host, and block a thread
        // until that times out. The caller just stops waiting; if an answer comes after all, the connection is kept for the next probe.
        settings.CommandTimeout = 0;
        settings.KeepAlive = 0;
        settings.Enlist = false;
        settings.ApplicationName = HostQuestion.Prober;
        // Npgsql loads types with a large query on the first connection; a probe needs none of them.
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        // The DETAIL says why a server accepts no connections. It holds no user data, as probes read none.
        settings.IncludeErrorDetail = true;
        return builder.Build();
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (NpgsqlException e) when (CertificateCheck.IsRefusal(e, host.Connection))
        {
            if (await CertificateCheck.FaultAsync(host, time, cancellationToken).ConfigureAwait(false) is { } fault) throw new CertificateRefusedException(fault, e);
            throw;
        }
    }

    private async Task<HostAnswer> AskAndKeepAsync(Session session, CancellationToken cancellationToken)
    {
        var isKept = false;
        try
        {
            // Npgsql ignores cancellation during login.
            cancellationToken.ThrowIfCancellationRequested();
            var answer = await AskAsync(session, cancellationToken).ConfigureAwait(false);
            answer = answer with { Types = await TypesAsync(session.Connection, answer.NewestType, cancellationToken).ConfigureAwait(false) };
            session.LastAnswer = answer;
            isKept = !_isDisposed && Interlocked.CompareExchange(ref _kept, session, null) is null;
            return answer;
        }
        finally
        {
            if (!isKept) await session.Connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<HostAnswer> AskAsync(Session session, CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        if (session.LastAnswer is not { } before) return await AskEverythingAsync(session, now, cancellationToken).ConfigureAwait(false);
        if (session.Again is null)
        {
            session.Again = HostQuestion.Again(session.Connection);
            // Prepared, the query costs a third. A pooler that keeps no prepared statements reports an error now or at the next use.
            if (_mayPrepare) await session.Again.PrepareAsync(cancellationToken).ConfigureAwait(false);
        }

        var answer = await HostQuestion.AskAgainAsync(session.Again, before, cancellationToken).ConfigureAwait(false);
        answer = answer with { Probers = _probers };
        if (answer.Timeline is not null) return answer;
        // Without a visible WAL receiver, only the control file shows the timeline, and only with a delay. What it last showed still holds.
        return time.GetElapsedTime(session.AskedEverythingAt, now) < MaxTimelineAge
            ? answer with { ReplayTimeline = before.ReplayTimeline }
            : await AskEverythingAsync(session, before.ConnectedAt, cancellationToken).ConfigureAwait(false);
    }

    private async Task<HostAnswer> AskEverythingAsync(Session session, long connectedAt, CancellationToken cancellationToken)
    {
        session.AskedEverythingAt = time.GetTimestamp();
        var answer = await HostQuestion.AskAsync(session.Connection, connectedAt, timeout: 0, async: true, cancellationToken).ConfigureAwait(false);
        _probers = answer.Probers;
        return answer;
    }

    private async ValueTask<long> TypesAsync(NpgsqlConnection connection, long newest, CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        if (_types is { } known && (known.Newest == newest || time.GetElapsedTime(known.AskedAt, now) < TypesInterval)) return known.All;
        var all = await HostQuestion.AskTypesAsync(connection, cancellationToken).ConfigureAwait(false);
        _types = new KnownTypes(newest, all, now);
        return all;
    }

    private sealed record KnownTypes(long Newest, long All, long AskedAt);

    private sealed class Session(NpgsqlConnection connection)
    {
        public NpgsqlConnection Connection { get; } = connection;
        public HostAnswer? LastAnswer { get; set; }
        public NpgsqlCommand? Again { get; set; }
        public long AskedEverythingAt { get; set; }
    }
}
