using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;
using Npgsql;

namespace ReplicaRouter.Checks;

/// <summary>Runs all kinds of work through one router and records the outcomes. Each worker starts its next operation when the last one has ended.</summary>
internal sealed class SoakLoad : IAsyncDisposable
{
    public const string CreateTable = "CREATE TABLE token (id uuid NOT NULL)";
    public const string Read = "read";
    private const string RawRead = "raw read", Write = "write", Transaction = "transaction";
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(5);

    private readonly DatabaseRouter _router;
    private readonly Action<string>? _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<Guid> _acknowledged;
    private readonly ConcurrentDictionary<string, long> _done = new();
    private readonly ConcurrentDictionary<string, long> _errors = new();
    private readonly Task _workers;
    private long _unexplainedReadErrors;

    /// <param name="router">The router to work through.</param>
    /// <param name="acknowledged">Receives the tokens of acknowledged writes.</param>
    /// <param name="log">Receives a line for each failure.</param>
    public SoakLoad(DatabaseRouter router, ConcurrentQueue<Guid> acknowledged, Action<string>? log)
    {
        (_router, _acknowledged, _log) = (router, acknowledged, log);
        _workers = Task.WhenAll(
        [
            .. Workers(8, Read, ReadAsync), .. Workers(2, RawRead, RawReadAsync), .. Workers(2, Write, WriteAsync), .. Workers(1, Transaction, TransactionAsync),
        ]);
    }

    public IReadOnlyDictionary<string, long> Done => new SortedDictionary<string, long>(_done);

    public IReadOnlyDictionary<string, long> Errors => new SortedDictionary<string, long>(_errors);

    public long UnexplainedReadErrors => Interlocked.Read(ref _unexplainedReadErrors);

    /// <summary>Waits for the operations in progress, which the router's own limits end.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _workers;
        _stop.Dispose();
    }

    private IEnumerable<Task> Workers(int count, string kind, Func<Task> once)
    {
        _done[kind] = 0;
        return Enumerable.Range(0, count).Select(_ => Task.Run(() => RepeatAsync(kind, once)));
    }

    private async Task RepeatAsync(string kind, Func<Task> once)
    {
        while (!_stop.IsCancellationRequested)
        {
            var start = TimeProvider.System.GetTimestamp();
            try
            {
                await once();
                Count(_done, kind);
            }
            catch (Exception e) when (e is DbException or IOException or TimeoutException or InvalidOperationException)
            {
                _log?.Invoke($"  {kind} failed after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0.000} s: {e.Message} <- {e.InnerException?.Message}");
                Count(_errors, $"{kind}: {Describe(e)}");
                if (kind == Read && e is not NoEligibleHostException) Interlocked.Increment(ref _unexplainedReadErrors);
            }

            await Task.Delay(s_pause);
        }
    }

    private static void Count(ConcurrentDictionary<string, long> counts, string key) => counts.AddOrUpdate(key, 1, (_, count) => count + 1);

    private static string Describe(Exception failed) => failed switch
    {
        PostgresException postgres => $"{postgres.SqlState} {postgres.MessageText}",
        NoEligibleHostException or TransactionOutcomeUnknownException => failed.GetType().Name,
        { InnerException: { } inner } => $"{failed.GetType().Name} ({inner.GetType().Name}): {failed.Message}",
        _ => $"{failed.GetType().Name}: {failed.Message}",
    };

    private Task ReadAsync() => _router.ExecuteAsync(DatabaseOperation.Read, QueryAsync);

    private async Task RawReadAsync()
    {
        await using var connection = await _router.OpenConnectionAsync(DatabaseOperation.Read);
        await QueryAsync(connection, CancellationToken.None);
    }

    private Task WriteAsync() => AcknowledgedAsync(token => _router.ExecuteAsync(DatabaseOperation.Write, (connection, ct) => InsertAsync(connection, token, ct)));

    private Task TransactionAsync() =>
        AcknowledgedAsync(token => _router.WithTransactionAsync((transaction, ct) => InsertAsync(transaction.Connection!, token, ct)));

    private async Task AcknowledgedAsync(Func<Guid, Task> write)
    {
        // One token per operation, not per attempt, so that work that is applied twice is detected.
        var token = Guid.NewGuid();
        await write(token);
        _acknowledged.Enqueue(token);
    }

    private static Task<long> QueryAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.ExecuteScalarAsync<long>(new CommandDefinition("SELECT count(*) FROM (SELECT FROM token LIMIT 10) few", cancellationToken: ct));

    private static Task<int> InsertAsync(NpgsqlConnection connection, Guid token, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition("INSERT INTO token VALUES (@token)", new { token }, cancellationToken: ct));
}
