using System.Diagnostics.Metrics;

namespace ReplicaRouter;

/// <summary>Learns from Npgsql's own meter how many commands run where, and how long they take.</summary>
/// <remarks>
/// So every command counts, whichever way its connection was obtained, and what callers get is the real
/// <see cref="Npgsql.NpgsqlConnection"/> without a wrapper around it.
/// </remarks>
internal sealed class CommandListener : IDisposable
{
    /// <summary>Set in the flow of the router's own commands on callers' connections.</summary>
    public static readonly AsyncLocal<bool> IsUncounted = new();

    private const string MeterName = "Npgsql";
    private const string Duration = "db.client.operation.duration";
    private const string Executing = "db.client.operation.npgsql.executing";
    private const string PoolName = "db.client.connection.pool.name";

    // By the very string object that each data source was named with: another router in this process may use equal names.
    private readonly Dictionary<object, HostPool> _pools;
    private readonly MeterListener _listener = new();

    public CommandListener(IEnumerable<HostPool> pools)
    {
        _pools = pools.ToDictionary(pool => (object)pool.Name, ReferenceEqualityComparer.Instance);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == MeterName && instrument.Name is Duration or Executing) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) => PoolOf(tags)?.RecordCommand(seconds * 1000));
        _listener.SetMeasurementEventCallback<int>((_, change, tags, _) => PoolOf(tags)?.RecordExecuting(change));
        _listener.Start();
    }

    public void Dispose() => _listener.Dispose();

    private HostPool? PoolOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var (key, value) in tags)
        {
            if (key == PoolName) return value is not null && _pools.TryGetValue(value, out var pool) && !IsUncounted.Value ? pool : null;
        }

        return null;
    }
}
