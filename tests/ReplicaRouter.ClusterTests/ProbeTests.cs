using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests;

/// <summary>What a probe learns from a server that others also use.</summary>
public class ProbeTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private readonly string _suffix = Guid.NewGuid().ToString("N")[..8];

    /// <summary>Probes get rarer as more processes probe, and any role can give its connections the probes' application name.</summary>
    [Fact]
    [Trait("Failure", "C12")]
    public async Task Connections_of_another_role_under_the_probes_name_do_not_slow_the_probes()
    {
        await using var superuser = new NpgsqlConnection(fixture.Cluster.Primary.SuperuserConnectionString);
        var (own, other) = ($"own_{_suffix}", $"other_{_suffix}");
        await superuser.ExecuteAsync($"CREATE ROLE {own} LOGIN PASSWORD 'x'; CREATE ROLE {other} LOGIN PASSWORD 'x'");
        var options = fixture.Cluster.Options("primary");
        options.Hosts["primary"].ConnectionString = Of(own).ConnectionString;
        var host = RouterConfigurationBuilder.Build(options).Hosts[0];

        await using var others = await OpenAsync(other, 6);
        Assert.Equal(1, await ProbersAsync(host));
        await using var owns = await OpenAsync(own, 3);
        // The server can count the previous probe until it notices that its connection has ended.
        await Eventually.Async(async () => await ProbersAsync(host) == 4, TimeSpan.FromSeconds(10), "own connections counted");
    }

    /// <summary>Returns the number of probing processes that a new probe counts at its login.</summary>
    private static async Task<int> ProbersAsync(HostConfiguration host)
    {
        await using var probe = new NpgsqlHostProbe(host, TimeSpan.FromSeconds(10), TimeProvider.System);
        return (await probe.ProbeAsync(Ct)).Probers;
    }

    private NpgsqlConnectionStringBuilder Of(string role) => new(fixture.Cluster.Primary.ConnectionString) { Username = role, Password = "x", ApplicationName = HostQuestion.Prober };

    /// <summary>Returns a pool with <paramref name="count"/> open connections, which close with the pool.</summary>
    private async Task<NpgsqlDataSource> OpenAsync(string role, int count)
    {
        var source = NpgsqlDataSource.Create(Of(role));
        var connections = new List<NpgsqlConnection>();
        for (var i = 0; i < count; i++) connections.Add(await source.OpenConnectionAsync(Ct));
        foreach (var connection in connections) await connection.CloseAsync();
        return source;
    }
}
