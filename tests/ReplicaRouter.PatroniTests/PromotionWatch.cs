using Dapper;
using Npgsql;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.PatroniTests;

/// <summary>Observes, on its own connections without the router, when one of several standbys leaves recovery.</summary>
internal static class PromotionWatch
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(20);

    /// <returns>The time, on the load's clock, of the first answer that shows a promotion.</returns>
    internal static async Task<TimeSpan> FirstAsync(IEnumerable<PatroniNode> standbys, Load load, TimeSpan limit, CancellationToken ct)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var promoted = TimeSpan.Zero;
        await Wait.WithinAsync(async bound =>
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(bound, done.Token);
            var watches = standbys.Select(standby => WatchAsync(standby, load, either.Token)).ToList();
            promoted = await await Task.WhenAny(watches);
            await done.CancelAsync();
            await Task.WhenAll(watches).ContinueWith(_ => { }, TaskScheduler.Default);
        }, limit, () => $"No standby was promoted within {limit.TotalSeconds} s.", ct);
        return promoted;
    }

    private static async Task<TimeSpan> WatchAsync(PatroniNode standby, Load load, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(standby.SuperuserConnectionString);
                await connection.OpenAsync(ct);
                while (await connection.ExecuteScalarAsync<bool>(new CommandDefinition("SELECT pg_is_in_recovery()", cancellationToken: ct)))
                    await Task.Delay(s_interval, ct);
                return load.Now;
            }
            catch (NpgsqlException)
            {
                await Task.Delay(s_interval, ct); // The server restarts: reconnect.
            }
        }
    }
}
