using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace ReplicaRouter.Pools;

/// <summary>Counts and times each host's commands, by listening to Npgsql's meter.</summary>
/// <remarks>
/// This counts every command, however its connection was obtained, and callers get the real <see cref="Npgsql.NpgsqlConnection"/> without a wrapper.
/// </remarks>
internal sealed class CommandListener : IDisposable
{
    public const string MeterName = "Npgsql";
    private const string Duration = "db.client.operation.duration";
    private const string Executing = "db.client.operation.npgsql.executing";
    private const string Failed = "db.client.operation.failed";
    private const string BytesWritten = "db.client.operation.npgsql.bytes_written";
    private const string Connections = "db.client.connection.count";
    private const string Pending = "db.client.connection.npgsql.pending_requests";

    /// <summary>The instruments that it listens to.</summary>
    public static readonly string[] Instruments = [Duration, Failed, Executing, BytesWritten, Connections, Pending];

    private const string PoolName = "db.client.connection.pool.name";
    private const string State = "db.client.connection.state";

    /// <summary>Distinguishes a failed command from one that was answered: Npgsql's meter reports the duration of both alike.</summary>
    /// <remarks>
    /// Npgsql reports an error (or breaks the connection) and then the command's duration on the same thread, with none of our code in between. If a caller reads rows in
    /// between, the mark can be lost, which adds one sample too many.
    /// </remarks>
    [ThreadStatic]
    private static bool t_hasFailed;

    // Keyed by the string instance that each data source was named with: another router in this process can use equal names.
    private readonly ConcurrentDictionary<object, HostDataSource> _sources = new(ReferenceEqualityComparer.Instance);
    private readonly MeterListener _listener = new();
    private readonly Lock _counting = new();

    public CommandListener()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == MeterName && Instruments.Contains(instrument.Name)) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) => OnEnded(SourceOf(tags)?.Pool, seconds * 1000));
        _listener.SetMeasurementEventCallback<long>((_, bytes, tags, _) => OnSent(SourceOf(tags)?.Pool, bytes));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => OnCounted(instrument, SourceOf(tags), value, tags));
        _listener.Start();
    }

    /// <summary>Starts listening to a data source, which must not be in use yet.</summary>
    public void Add(HostDataSource source) => _sources[source.Name] = source;

    /// <summary>Stops listening to data sources. Their connections are no longer counted.</summary>
    public void Remove(IEnumerable<HostDataSource> sources)
    {
        foreach (var source in sources)
        {
            _sources.TryRemove(source.Name, out _);
            lock (_counting) (source.Idle, source.Busy) = (0, 0);
        }
    }

    /// <summary>Has Npgsql count now, and returns how many connections of these data sources are in use, including logins in progress.</summary>
    public int CountInUse(IEnumerable<HostDataSource> sources)
    {
        Recount();
        return sources.Sum(source => source.Busy);
    }

    /// <summary>Has Npgsql count all connections now.</summary>
    public void Recount()
    {
        lock (_counting) _listener.RecordObservableInstruments();
    }

    /// <summary>Marks the command whose end is reported next on this thread as failed.</summary>
    public static void NoteFailure() => t_hasFailed = true;

    public void Dispose() => _listener.Dispose();

    private static void OnEnded(HostPool? pool, double milliseconds)
    {
        // Every router in this process receives the measurements of all.
        if (pool is null) return;
        var flow = CommandFlow.Current.Value;
        (var hasFailed, t_hasFailed) = (t_hasFailed, false);
        if (flow is { IsGivenUp: true } || IsUncounted(flow)) return;
        flow?.CommandEnded();
        if (flow?.Attempt is not { IsStopped: true }) pool.Durations.Record(milliseconds);
        pool.CountCommand();
        var (load, route) = (pool.Owner.Load, pool.Plan.Index);
        if (hasFailed && flow?.Attempt is not ({ IsBeaten: true } or { IsStopped: true })) load.RecordFailure(route, milliseconds);
        else load.RecordCommand(route, milliseconds, isStopped: flow?.Attempt is { IsStopped: true, IsBeaten: false }, isBeaten: flow?.Attempt is { IsBeaten: true });
    }

    private static void OnSent(HostPool? pool, long bytes)
    {
        if (pool is not null && CommandFlow.Current.Value is { } flow && !IsUncounted(flow)) flow.Sent(bytes);
    }

    private static void OnCounted(Instrument instrument, HostDataSource? source, int value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (source is null) return;
        var flow = CommandFlow.Current.Value;
        switch (instrument.Name)
        {
            case Connections:
                foreach (var tag in tags)
                {
                    if (tag is { Key: State, Value: "idle" }) source.Idle = value;
                    if (tag is { Key: State, Value: "used" }) source.Busy = value;
                }

                break;
            case Pending:
                source.Pool.RecordPending(value);
                break;
            case Failed:
                NoteFailure();
                if (!IsUncounted(flow)) source.Pool.CountFailed();
                break;
            case Executing when !IsUncounted(flow):
                if (value > 0) flow?.CommandStarted();
                flow?.Executing(value);
                if (value > 0) source.Pool.Owner.Load.Commands.Begin();
                else source.Pool.Owner.Load.Commands.End();
                break;
        }
    }

    private static bool IsUncounted(CommandFlow? flow) => ReferenceEquals(flow, CommandFlow.Uncounted);

    private HostDataSource? SourceOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var (key, value) in tags)
        {
            if (key == PoolName) return value is not null && _sources.TryGetValue(value, out var source) ? source : null;
        }

        return null;
    }
}
