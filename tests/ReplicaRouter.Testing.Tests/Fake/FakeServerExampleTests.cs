using Npgsql;
using static ReplicaRouter.Testing.Tests.Probe;

namespace ReplicaRouter.Testing.Tests.Fake;

/// <summary>The guide's example.</summary>
public sealed class FakeServerExampleTests
{
    [Fact]
    public async Task A_read_is_answered_by_the_script_of_the_standby()
    {
        #region Two fake servers and a router
        await using var primary = FakeServer.Start();
        await using var standby = FakeServer.Start(primary.State.Standby());
        standby.On("SELECT quantity FROM stock", FakeAnswer.Row(5));
        var options = new DatabaseRouterOptions();
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = primary.ConnectionString };
        options.Hosts["replica"] = new DatabaseHostOptions { ConnectionString = standby.ConnectionString };
        await using var router = DatabaseRouter.Create(options);
        #endregion

        await standby.WaitForAsync(() => router.GetHealthStatus()["replica"].IsHealthy, TimeSpan.FromSeconds(20), Ct);
        Assert.Equal(5, await router.ExecuteAsync(DatabaseOperation.Read, async (connection, ct) =>
        {
            await using var command = new NpgsqlCommand("SELECT quantity FROM stock WHERE product = $1", connection) { Parameters = { new() { Value = "tea" } } };
            return (int)(await command.ExecuteScalarAsync(ct))!;
        }, Ct));
        Assert.Equal("tea", Assert.Single(standby.Statements).Parameters[0]);
    }
}
