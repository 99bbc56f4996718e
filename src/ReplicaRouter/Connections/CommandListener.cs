using System.Diagnostics.Metrics;

namespace ReplicaRouter;

/// <summary>Learns from Npgsql's own meter how many commands run where, and how long they take.</summary>
/// <remarks>
/// So every command counts, whichever way its connection was obtained, and what callers get is the real
/// <see cref="Npgsql.NpgsqlConnection"/> without a wrapper around it.
/// </remarks>
internal sealed class CommandListener : IDisposable
{
    private const string MeterName = "Npgsql";
    private const string Duration = "db.client.operation.duration";
    private const string Executing = "db.client.operation.npgsql.executing";
    private const string BytesWritten = "db.client.operation.npgsql.bytes_written";
    private const string Connections = "db.client.connection.count";
    private const string Pending = "db.client.connection.npgsql.pending_requests";
    private const string PoolName = "db.client.connection.pool.name";
    private const string State = "db.client.connection.state";

    // By the very string object that each data source was named with: another router in this process may use equal names.
    private readonly Dictionary<object, HostPool> _pools;
    private readonly MeterListener _listener = new();
    private readonly Lock _counting = new();

    public CommandListener(IEnumerable<HostPool> pools)
    {
        _pools = pools.ToDictionary(pool => (object)pool.Name, ReferenceEqualityComparer.Instance);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == MeterName && instrument.Name is Duration or Executing or BytesWritten or Connections or Pending) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) => OnEnded(PoolOf(tags), seconds * 1000));
        _listener.SetMeasurementEventCallback<long>((_, bytes, tags, _) => OnSent(PoolOf(tags), bytes));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => OnCounted(instrument, PoolOf(tags), value, tags));
        _listener.Start();
    }

    /// <summary>The idle connections of a pool, as Npgsql counts them now.</summary>
    public int CountIdle(HostPool pool) => Counted(() => pool.Idle);

    /// <summary>The connections to a host that are in use, as Npgsql counts them now, logins under way among them.</summary>
    public int CountInUse(HostPools host) => Counted(() => host.InUse);

    /// <summary>Has Npgsql count all connections now.</summary>
    public void Recount() => Counted(() => 0);

    public void Dispose() => _listener.Dispose();

    private T Counted<T>(Func<T> read)
    {
        lock (_counting)
        {
            _listener.RecordObservableInstruments();
            return read();
        }
    }

    private static void OnEnded(HostPool? pool, double milliseconds)
    {
        var flow = CommandFlow.Current.Value;
        if (pool is null || flow is { IsGivenUp: true } || IsUncounted(flow)) return;
        flow?.CommandEnded();
        pool.RecordCommand(flow?.Attempt is { IsBeaten: true } ? HedgePolicy.Beaten * milliseconds : milliseconds, flow?.Attempt is { IsStopped: true });
    }

    private static void OnSent(HostPool? pool, long bytes)
    {
        if (pool is not null && CommandFlow.Current.Value is { } flow && !IsUncounted(flow)) flow.Sent(bytes);
    }

    private static void OnCounted(Instrument instrument, HostPool? pool, int value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (pool is null) return;
        if (instrument.Name == Connections)
        {
            foreach (var tag in tags)
            {
                if (tag is { Key: State, Value: "idle" }) pool.Idle = value;
                if (tag is { Key: State, Value: "used" }) pool.Busy = value;
            }

            return;
        }

        if (instrument.Name == Pending)
        {
            pool.RecordPending(value);
            return;
        }

        var flow = CommandFlow.Current.Value;
        if (IsUncounted(flow)) return;
        if (value > 0) flow?.CommandStarted();
        flow?.Executing(value);
        pool.RecordExecuting(value);
    }

    private static bool IsUncounted(CommandFlow? flow) => ReferenceEquals(flow, CommandFlow.Uncounted);

    private HostPool? PoolOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var (key, value) in tags)
        {
            if (key == PoolName) return value is not null && _pools.TryGetValue(value, out var pool) ? pool : null;
        }

        return null;
    }
}
