using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests;

/// <summary>Each misconfiguration gives one clear message at start, without the password.</summary>
[Trait("PostgreSQL", "any")]
public class MisconfigurationTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string With(Action<NpgsqlConnectionStringBuilder> change, string server = "primary")
    {
        var settings = new NpgsqlConnectionStringBuilder(fixture.Cluster[server].ConnectionString);
        change(settings);
        return settings.ConnectionString;
    }

    private static async Task<string> FaultAsync(params (string Host, string ConnectionString)[] hosts)
    {
        var options = new DatabaseRouterOptions();
        foreach (var (host, connectionString) in hosts) options.Hosts[host] = new DatabaseHostOptions { ConnectionString = connectionString };
        await using var router = DatabaseRouter.Create(options);
        var error = await Assert.ThrowsAsync<DatabaseRouterConfigurationException>(() => router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct));
        var fault = Assert.Single(error.Faults);
        Assert.DoesNotContain(new NpgsqlConnectionStringBuilder(hosts[0].ConnectionString).Password!, fault, StringComparison.Ordinal);
        return fault;
    }

    [Fact]
    public async Task A_wrong_password() =>
        Assert.Contains("refuses user 'app': password authentication failed", await FaultAsync(("primary", With(s => s.Password = "s3cret"))), StringComparison.Ordinal);

    [Fact]
    public async Task A_wrong_password_of_a_replica_S21() =>
        Assert.StartsWith("Host 'analytics': ", await FaultAsync(("primary", With(_ => { })), ("analytics", With(s => s.Password = "s3cret", "analytics"))), StringComparison.Ordinal);

    [Fact]
    public async Task A_wrong_database() =>
        Assert.Contains("has no database 'nowhere'", await FaultAsync(("primary", With(s => s.Database = "nowhere"))), StringComparison.Ordinal);

    [Fact]
    public async Task An_unknown_host_name() =>
        Assert.Contains("the host name 'no-such-host.invalid' does not resolve",
            await FaultAsync(("primary", With(s => s.Host = "no-such-host.invalid"))), StringComparison.Ordinal);

    [Fact]
    public async Task A_server_without_tls_where_tls_is_required() =>
        Assert.Contains("SSL", await FaultAsync(("primary", With(s => s.SslMode = SslMode.Require))), StringComparison.Ordinal);

    [Fact]
    public async Task Two_names_for_one_server() =>
        Assert.Contains("name the same server", await FaultAsync(("primary", With(s => s.Host = "127.0.0.1")), ("analytics", With(s => s.Host = "localhost"))), StringComparison.Ordinal);

    [Fact]
    public async Task A_standby_as_the_only_primary() =>
        Assert.Contains("is a standby", await FaultAsync(("primary", With(_ => { }, "analytics"))), StringComparison.Ordinal);

    [Fact]
    public async Task A_replica_of_another_cluster_S22()
    {
        await using var other = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new LocalReplicaOptions { Name = "analytics" }] }, Ct);
        Assert.Contains("belongs to another cluster", await FaultAsync(("primary", With(_ => { })), ("analytics", other["analytics"].ConnectionString)), StringComparison.Ordinal);
    }
}
