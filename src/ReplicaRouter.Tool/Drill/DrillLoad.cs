using System.Collections.Concurrent;
using Npgsql;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Drill;

/// <summary>Harmless reads through a router, and writes on request, until disposed.</summary>
internal sealed class DrillLoad : IAsyncDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);
    private static readonly DatabaseOperation[] s_mix = [DatabaseOperation.Read, DatabaseOperation.Read, DatabaseOperation.Analytics, DatabaseOperation.Background];

    private readonly DatabaseRouter _router;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, string> _names;
    private readonly ConcurrentDictionary<string, long> _lastAnswer = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _workers;
    private volatile PhaseFigures _figures;

    private DrillLoad(DatabaseRouter router, DrillPlan plan, DrillWrites? writes, TimeProvider time)
    {
        (_router, _time, _figures) = (router, time, new PhaseFigures(time));
        _names = plan.Target.Configuration.Hosts.ToDictionary(host => host.Endpoint, host => host.Name);
        _workers = [.. Enumerable.Range(0, plan.Workers).Select(ReadAsync)];
        if (writes is not null) _workers.Add(WriteAsync(writes));
    }

    public static DrillLoad Start(DatabaseRouter router, DrillPlan plan, DrillWrites? writes, TimeProvider time) => new(router, plan, writes, time);

    /// <summary>Starts counting for a new phase.</summary>
    public PhaseFigures Begin() => _figures = new PhaseFigures(_time);

    /// <summary>Returns the latest start time of an operation that the host answered, as a timestamp; 0 if there is none.</summary>
    public long LastAnswerOf(string host) => _lastAnswer.GetValueOrDefault(host);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_workers);
        _stop.Dispose();
    }

    private async Task ReadAsync(int worker)
    {
        for (var i = worker; await PauseAsync(); i++)
        {
            await CountAsync(() => _router.ExecuteAsync(s_mix[i % s_mix.Length], async (connection, ct) =>
            {
                await using var command = new NpgsqlCommand("SELECT 1", connection);
                await command.ExecuteScalarAsync(ct);
                return EndpointOf(connection);
            }));
        }
    }

    private async Task WriteAsync(DrillWrites writes)
    {
        while (await PauseAsync())
        {
            await CountAsync(writes.WriteAsync);
        }
    }

    /// <summary>Takes no cancellation token: operations in progress at the end complete, so that none counts as failed because it was cut off.</summary>
    private async Task CountAsync(Func<Task<string>> operation)
    {
        var start = _time.GetTimestamp();
        try
        {
            var host = _names[await operation()];
            _figures.Succeeded(host, _time.GetElapsedTime(start));
            _lastAnswer.AddOrUpdate(host, start, (_, last) => Math.Max(last, start));
        }
        catch (Exception e)
        {
            _figures.Failed(e);
        }
    }

    /// <summary>Returns the host and port of an open connection, in the configuration's format.</summary>
    public static string EndpointOf(NpgsqlConnection connection) => $"{connection.Host}:{connection.Port}";

    private async Task<bool> PauseAsync()
    {
        await Task.Delay(s_pause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !_stop.IsCancellationRequested;
    }
}
