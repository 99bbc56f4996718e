using Npgsql;
using NpgsqlTypes;
using ReplicaRouter.Benchmarks.Arms;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>Workers that read and write through an arm, one operation after another.</summary>
internal sealed class Load : IAsyncDisposable
{
    private const int Writers = 2;
    private const string Write = "INSERT INTO token (id) VALUES ($1) RETURNING inet_server_port()";

    // Pauses, so that the machine's cores are not the bottleneck.
    private static readonly TimeSpan s_readPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_writePause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly IArm _arm;
    private readonly CancellationTokenSource _end;
    private readonly List<Worker> _workers;
    private readonly Task _running;

    public Load(IArm arm, int readers, CancellationToken ct)
    {
        _arm = arm;
        _end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _workers =
        [
            .. Enumerable.Range(0, readers).Select(_ => new Worker(isWrite: false, s_readPause, ReadAsync)),
            .. Enumerable.Range(0, Writers).Select(_ => new Worker(isWrite: true, s_writePause, WriteAsync)),
        ];
        _running = Task.WhenAll(_workers.Select(worker => Task.Run(() => worker.RunAsync(_end.Token), ct)));
    }

    /// <summary>Ends the load and abandons the operations in flight.</summary>
    public IReadOnlyList<Operation> Stop() => [.. _workers.SelectMany(worker => worker.Stop())];

    public async ValueTask DisposeAsync()
    {
        Stop();
        await _end.CancelAsync();
        await Task.WhenAny(_running, Task.Delay(s_patience));
        if (_running.IsCompleted) _end.Dispose();
    }

    private async Task<Answer> ReadAsync(CancellationToken ct) => new(await _arm.ReadAsync(AccountTable.ReadAsync, ct));

    private async Task<Answer> WriteAsync(CancellationToken ct)
    {
        // One token per operation, not per attempt, so that the audit finds unsolicited retries.
        var token = Guid.NewGuid();
        var isCutOff = false;
        try
        {
            return await _arm.WriteAsync(async (connection, inner) =>
            {
                isCutOff = false;
                await using var command = new NpgsqlCommand(Write, connection);
                command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = token, NpgsqlDbType = NpgsqlDbType.Uuid });
                try
                {
                    return new Answer((int)(await command.ExecuteScalarAsync(inner))!, token);
                }
                catch (NpgsqlException e) when (e is not PostgresException)
                {
                    isCutOff = true;
                    throw;
                }
            }, ct);
        }
        catch (NpgsqlException e) when (isCutOff)
        {
            throw new CutOffException(e);
        }
    }
}
