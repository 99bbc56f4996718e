using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests.Failures;

/// <summary>One operation of a load: the server that answered, how long it took, and the error if it failed.</summary>
internal sealed record LoadedOperation(string? Server, long StartedAt, TimeSpan Duration, Exception? Error);

/// <summary>Workers that read or write through a router, one operation after another with a short pause, until they are stopped.</summary>
internal sealed class FailureLoad : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task<List<LoadedOperation>>> _workers;

    private FailureLoad(int workers, Func<Task<string>> operation) =>
        _workers = [.. Enumerable.Range(0, workers).Select(_ => Task.Run(() => WorkAsync(operation)))];

    /// <summary>Starts reads that record which server answered.</summary>
    public static FailureLoad OfReads(LocalCluster cluster, DatabaseRouter router, int workers = 6, DatabaseRoute? route = null) =>
        new(workers, () => router.ExecuteAsync(route ?? DatabaseOperation.Read, (connection, ct) => WhoAsync(cluster, connection, ct)));

    /// <summary>Starts writes of one token each, into a table without a key, so that a repeated write shows.</summary>
    public static FailureLoad OfWrites(LocalCluster cluster, DatabaseRouter router, Tokens tokens, int workers = 2) =>
        new(workers, () => tokens.WriteAsync(id => router.ExecuteAsync(DatabaseOperation.Write, async (connection, ct) =>
        {
            await using var command = new NpgsqlCommand("INSERT INTO token VALUES ($1) RETURNING current_setting('port')::int", connection);
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
            return NameOf(cluster, (int)(await command.ExecuteScalarAsync(ct))!);
        })));

    public async Task<List<LoadedOperation>> StopAsync()
    {
        await _stop.CancelAsync();
        return [.. (await Task.WhenAll(_workers)).SelectMany(operations => operations)];
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task<List<LoadedOperation>> WorkAsync(Func<Task<string>> operation)
    {
        var done = new List<LoadedOperation>();
        while (!_stop.IsCancellationRequested)
        {
            var startedAt = TimeProvider.System.GetTimestamp();
            var (server, error) = ((string?)null, (Exception?)null);
            try
            {
                server = await operation();
            }
            catch (Exception e)
            {
                error = e;
            }

            done.Add(new LoadedOperation(server, startedAt, TimeProvider.System.GetElapsedTime(startedAt), error));
            await Task.Delay(Pause);
        }

        return done;
    }

    private static async Task<string> WhoAsync(LocalCluster cluster, NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT current_setting('port')::int", connection);
        return NameOf(cluster, (int)(await command.ExecuteScalarAsync(ct))!);
    }

    private static string NameOf(LocalCluster cluster, int port) => cluster.Servers.Single(server => server.Port == port).Name;
}

/// <summary>Writes tokens, and records which of them were acknowledged.</summary>
internal sealed class Tokens
{
    public const string CreateTable = "CREATE TABLE token (id uuid)";

    private readonly HashSet<Guid> _acknowledged = [];

    public async Task<string> WriteAsync(Func<Guid, Task<string>> write)
    {
        var id = Guid.NewGuid();
        var server = await write(id);
        lock (_acknowledged) _acknowledged.Add(id);
        return server;
    }

    /// <summary>Returns the number of acknowledged tokens that are missing, and the number of duplicate rows.</summary>
    public async Task<(int Lost, int Twice)> CheckAsync(LocalCluster cluster)
    {
        await using var connection = new NpgsqlConnection(cluster.Primary.ConnectionString);
        var there = (await connection.QueryAsync<Guid>("SELECT id FROM token")).ToList();
        lock (_acknowledged) return (_acknowledged.Except(there).Count(), there.Count - there.Distinct().Count());
    }
}
