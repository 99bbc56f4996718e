using System.Data.Common;

namespace ReplicaRouter.Benchmarks.Dashboard;

/// <summary>A constant load of some hundred operations per second, of all kinds.</summary>
internal sealed class PacedLoad : IAsyncDisposable
{
    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(20);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _workers;
    private long _done;

    public PacedLoad(DatabaseRouter router) => _workers = Task.WhenAll(
        from operation in Enum.GetValues<DatabaseOperation>()
        from _ in Enumerable.Range(0, 2)
        select Task.Run(() => WorkAsync(router, operation)));

    public long Done => Interlocked.Read(ref _done);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _workers;
        _stop.Dispose();
    }

    private async Task WorkAsync(DatabaseRouter router, DatabaseOperation operation)
    {
        using var timer = new PeriodicTimer(s_pace);
        while (!_stop.IsCancellationRequested && await timer.WaitForNextTickAsync())
        {
            try
            {
                await router.ExecuteAsync(operation, async (connection, ct) =>
                {
                    await using var command = connection.CreateCommand();
                    command.CommandText = "SELECT 1";
                    return await command.ExecuteScalarAsync(ct);
                });
                Interlocked.Increment(ref _done);
            }
            catch (DbException)
            {
                // Visible as a lower rate.
            }
        }
    }
}
