using Dapper;
using Npgsql;

namespace ReplicaRouter.Testing.Tests;

internal static class Probe
{
    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Runs one query on its own connection, which gives up after a second.</summary>
    public static async Task<T> AskAsync<T>(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = false,
            Timeout = 1,
            CommandTimeout = 1,
            CancellationTimeout = -1,
        }.ConnectionString);
        await connection.OpenAsync(Ct);
        return (await connection.ExecuteScalarAsync<T>(sql))!;
    }

    public static Task<T> AskAsync<T>(this LocalServer server, string sql) => AskAsync<T>(server.ConnectionString, sql);

    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(20), $"not within 20 s: {what}");
            await Task.Delay(20, Ct);
        }
    }
}
