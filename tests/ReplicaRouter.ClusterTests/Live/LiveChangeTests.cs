using Dapper;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using ReplicaRouter.ClusterTests.Failures;
using ReplicaRouter.Testing;
using ReplicaRouter.Tests.Discovery;

namespace ReplicaRouter.ClusterTests.Live;

/// <summary>A running application whose hosts change under load. The servers stay unchanged, except for a role's password.</summary>
[Trait("PostgreSQL", "any")]
public sealed class LiveChangeTests(ClusterFixture fixture)
{
    private readonly LocalCluster _cluster = fixture.Cluster;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private Task<DatabaseRouter> RouterAsync(params string[] servers) => RouterAsync(_ => { }, servers);

    private async Task<DatabaseRouter> RouterAsync(Action<DatabaseRouterOptions> configure, params string[] servers)
    {
        var router = DatabaseRouter.Create(Options(configure, servers));
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(10), "all healthy");
        return router;
    }

    private DatabaseRouterOptions Options(Action<DatabaseRouterOptions> configure, params string[] servers)
    {
        var options = _cluster.Options(servers);
        configure(options);
        return options;
    }

    [Fact]
    public async Task A_replica_that_a_reloaded_configuration_adds_serves_within_3_seconds()
    {
        var configuration = new ConfigurationManager();
        configuration["DATABASE_URL"] = _cluster.Primary.ConnectionString;
        configuration["DATABASE_READ_REPLICA_1_URL"] = _cluster["analytics"].ConnectionString;
        await using var services = new ServiceCollection().AddReplicaRouter(configuration).BuildServiceProvider();
        var router = services.GetRequiredService<DatabaseRouter>();
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(10), "all healthy");
        await using var reads = new ReadLoad(_cluster, router, workers: 4);
        await Eventually.Async(() => reads.CountOf("analytics") > 50, TimeSpan.FromSeconds(10), "load runs");
        Assert.Equal(0, reads.CountOf("background"));

        configuration["DATABASE_READ_REPLICA_2_URL"] = _cluster["background"].ConnectionString;
        ((IConfigurationRoot)configuration).Reload();
        await Eventually.Async(() => reads.CountOf("background") > 0, TimeSpan.FromSeconds(3), "the added replica serves");
        Assert.Empty(await reads.StopAsync());
    }

    [Fact]
    public async Task A_removed_replica_lets_its_connections_finish_and_causes_no_error()
    {
        await using var router = await RouterAsync("primary", "analytics", "background");
        await using var reads = new ReadLoad(_cluster, router, workers: 4);
        await Eventually.Async(() => reads.CountOf("background") > 50, TimeSpan.FromSeconds(10), "load runs");
        await using var held = await router.OpenConnectionAsync(DatabaseOperation.Background, Ct);
        var client = router.GetClient(DatabaseOperation.Background);
        Assert.Equal("background", await _cluster.WhoAsync(held));

        router.Reload(Options(_ => { }, "primary", "analytics"));
        var servedBefore = reads.CountOf("background");
        await Eventually.Async(() => reads.CountOf("analytics") > 500, TimeSpan.FromSeconds(10), "load goes on");
        // Reads in flight finished there, and no new ones followed.
        Assert.InRange(reads.CountOf("background"), servedBefore, servedBefore + 4);
        Assert.Equal("background", await _cluster.WhoAsync(held));
        await using (var late = await client.OpenConnectionAsync(Ct)) Assert.Equal("background", await _cluster.WhoAsync(late));
        Assert.Equal("analytics", await _cluster.WhoAsync(router, DatabaseOperation.Background));
        Assert.Empty(await reads.StopAsync());
    }

    [Fact]
    public async Task Another_host_name_for_the_primary_interrupts_no_write()
    {
        await using var router = await RouterAsync("primary", "analytics");
        await using var writes = new NoteLoad(_cluster, router, workers: 2);
        await Eventually.Async(() => writes.CountOf("primary") > 20, TimeSpan.FromSeconds(10), "load runs");
        var slow = router.ExecuteAsync(DatabaseOperation.Write, (connection, ct) => connection.ExecuteAsync("SELECT pg_sleep(1)"), Ct);
        router.Reload(Options(
            options => options.Hosts["primary"].ConnectionString = new NpgsqlConnectionStringBuilder(_cluster.Primary.ConnectionString) { Host = "localhost" }.ConnectionString, "primary", "analytics"));
        await slow;
        var written = writes.CountOf("primary");
        await Eventually.Async(() => writes.CountOf("primary") > written + 50, TimeSpan.FromSeconds(10), "load goes on");
        Assert.Empty(await writes.StopAsync());
        Assert.Equal(HostRole.Primary, router.GetHealthStatus()["primary"].Role);
    }

    [Fact]
    public async Task Connections_still_in_use_after_DrainTimeout_are_cut()
    {
        await using var router = await RouterAsync(options => options.DrainTimeout = TimeSpan.FromMilliseconds(500), "primary", "analytics");
        await using var held = await router.OpenConnectionAsync(DatabaseOperation.Analytics, Ct);
        router.Reload(Options(options => options.DrainTimeout = TimeSpan.FromMilliseconds(500), "primary"));
        var error = await Assert.ThrowsAsync<PostgresException>(() => held.ExecuteAsync("SELECT pg_sleep(20)"));
        Assert.Equal(PostgresErrorCodes.AdminShutdown, error.SqlState);
    }

    [Fact]
    public async Task A_password_change_on_the_server_and_in_the_configuration_causes_no_error()
    {
        await using var role = await Role.CreateAsync(_cluster, Ct);
        await using var router = await RouterAsync(role.Use, "primary", "analytics");
        await using var reads = new ReadLoad(_cluster, router, workers: 4);
        await using var writes = new NoteLoad(_cluster, router, workers: 2);
        await Eventually.Async(() => reads.CountOf("analytics") > 50 && writes.CountOf("primary") > 20, TimeSpan.FromSeconds(10), "load runs");

        await role.ChangePasswordAsync("second");
        router.Reload(Options(role.Use, "primary", "analytics"));
        await GoOnAsync(reads, writes);

        // Now the other way round: the server refuses the configured password until it is changed there, too.
        router.Reload(Options(options => role.Use(options, "third"), "primary", "analytics"));
        await GoOnAsync(reads, writes);
        await role.ChangePasswordAsync("third");
        await GoOnAsync(reads, writes);
        Assert.Empty(await reads.StopAsync());
        Assert.Empty(await writes.StopAsync());
    }

    [Fact]
    public async Task A_password_from_a_provider_changes_without_an_error()
    {
        await using var role = await Role.CreateAsync(_cluster, Ct);
        var asked = 0;
        await using var router = await RouterAsync(options =>
        {
            role.Use(options, "unused");
            options.PasswordProvider = (request, _) =>
            {
                Assert.Equal(role.Name, request.Username);
                Interlocked.Increment(ref asked);
                return new ValueTask<string>(role.Password);
            };
        }, "primary", "analytics");
        await using var reads = new ReadLoad(_cluster, router, workers: 4);
        await using var writes = new NoteLoad(_cluster, router, workers: 2);
        await Eventually.Async(() => reads.CountOf("analytics") > 50 && writes.CountOf("primary") > 20, TimeSpan.FromSeconds(10), "load runs");
        var before = Volatile.Read(ref asked);

        await role.ChangePasswordAsync("second");
        await GoOnAsync(reads, writes);
        Assert.True(Volatile.Read(ref asked) > before);
        Assert.Empty(await reads.StopAsync());
        Assert.Empty(await writes.StopAsync());
    }

    [Fact]
    public async Task A_password_provider_that_fails_keeps_open_connections_serving()
    {
        var isDown = false;
        await using var router = await RouterAsync(options =>
        {
            options.Health.Interval = TimeSpan.FromMilliseconds(100);
            var password = new NpgsqlConnectionStringBuilder(_cluster.Primary.ConnectionString).Password!;
            options.PasswordProvider = (_, _) => Volatile.Read(ref isDown) ? throw new IOException("the vault is sealed") : new ValueTask<string>(password);
        }, "primary");
        Assert.Equal("primary", await _cluster.WhoAsync(router, DatabaseOperation.Write));
        Volatile.Write(ref isDown, true);
        await Eventually.Async(() => router.GetHealthStatus()["primary"].State == HostState.NoLogins, TimeSpan.FromSeconds(10), "found to refuse logins");
        // The provider's own text can contain secrets.
        Assert.Contains("PasswordProvider failed", router.GetHealthStatus()["primary"].Error, StringComparison.Ordinal);
        Assert.DoesNotContain("the vault is sealed", router.GetHealthStatus()["primary"].Error, StringComparison.Ordinal);
        Assert.Equal("primary", await _cluster.WhoAsync(router, DatabaseOperation.Write));
        Volatile.Write(ref isDown, false);
        await Eventually.Async(() => router.GetHealthStatus()["primary"].State == HostState.Healthy, TimeSpan.FromSeconds(10), "accepts logins again");
    }

    [Fact]
    public async Task Hosts_from_DNS_serve_and_an_empty_or_failed_answer_changes_nothing_H45_T9()
    {
        await using var dns = new FakeDnsServer { Services = [("localhost", _cluster["analytics"].Port, 1), ("localhost", _cluster["background"].Port, 1), ("localhost", _cluster.Primary.Port, 1)] };
        await using var router = await RouterAsync(options =>
        {
            options.Discovery.Dns.Name = "_postgresql._tcp.test";
            options.Discovery.Dns.Nameserver = dns.EndPoint.ToString();
            options.Discovery.Interval = TimeSpan.FromSeconds(1);
        }, "primary");
        await Eventually.Async(() => router.GetHealthStatus().Count == 4 && router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(10), "all are found");
        await using var reads = new ReadLoad(_cluster, router, workers: 4);
        await Eventually.Async(() => reads.CountOf("analytics") > 20 && reads.CountOf("background") > 20, TimeSpan.FromSeconds(10), "both serve");

        foreach (var code in new[] { 0, 3, 2 })
        {
            (dns.Services, dns.ResponseCode) = ([], code);
            var questions = dns.Questions;
            await Eventually.Async(() => dns.Questions >= questions + 2, TimeSpan.FromSeconds(20), "asked again");
            Assert.Equal(4, router.GetHealthStatus().Count);
        }

        var (analytics, background) = (reads.CountOf("analytics"), reads.CountOf("background"));
        await Eventually.Async(() => reads.CountOf("analytics") > analytics + 20 && reads.CountOf("background") > background + 20, TimeSpan.FromSeconds(10), "both go on");
        Assert.Empty(await reads.StopAsync());
        // The answer names the primary a second time: a duplicate host.
        Assert.Equal("primary", await _cluster.WhoAsync(router, DatabaseOperation.Write));
    }

    [Fact]
    public async Task Instances_named_by_Aurora_s_function_serve()
    {
        // Imitates Aurora's function: session_id marks the writer, and a row that is no longer updated is a deleted instance.
        var function = $"""
            CREATE OR REPLACE FUNCTION aurora_replica_status() RETURNS TABLE (server_id text, session_id text, last_update_timestamp timestamptz) LANGUAGE sql AS $$
                VALUES ('{_cluster.Primary.Port}', 'MASTER_SESSION_ID', now()), ('{_cluster["analytics"].Port}', 'b7e4', now()), ('1', 'c1f0', now() - interval '1 hour') $$
            """;
        await using (var connection = new NpgsqlConnection(_cluster.Primary.ConnectionString)) await connection.ExecuteAsync(function);
        await using var router = await RouterAsync(options => options.Discovery.Aurora.HostPattern = "127.0.0.1:?", "primary");
        var name = $"{_cluster["analytics"].Port}";
        await Eventually.Async(() => router.GetHealthStatus().TryGetValue(name, out var host) && host.IsHealthy, TimeSpan.FromSeconds(10), "the instance is found");
        Assert.Equal(["primary", name], router.GetHealthStatus().Keys);
        Assert.Equal("analytics", await _cluster.WhoAsync(router, DatabaseOperation.Read));
    }

    private static async Task GoOnAsync(RouterLoad reads, RouterLoad writes)
    {
        var (read, written, start) = (reads.CountOf("analytics"), writes.CountOf("primary"), TimeProvider.System.GetTimestamp());
        // For longer than any connection lives, so that all of them are replaced.
        await Eventually.Async(() => TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromSeconds(2) && reads.CountOf("analytics") > read + 100 && writes.CountOf("primary") > written + 50, TimeSpan.FromSeconds(20), "load goes on");
    }

    /// <summary>Small writes.</summary>
    private sealed class NoteLoad(LocalCluster cluster, DatabaseRouter router, int workers) : RouterLoad(cluster, workers)
    {
        protected override Task<int> OnceAsync() =>
            router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteScalarAsync<int>("INSERT INTO note (text) VALUES ('live') RETURNING current_setting('port')::int"));
    }

    /// <summary>A role of one test, which can change its password.</summary>
    private sealed class Role(LocalCluster cluster) : IAsyncDisposable
    {
        public string Name { get; } = "role_" + Guid.NewGuid().ToString("N")[..8];

        public string Password { get; private set; } = "first";

        public static async Task<Role> CreateAsync(LocalCluster cluster, CancellationToken ct)
        {
            var role = new Role(cluster);
            await role.ExecuteAsync($"CREATE ROLE {role.Name} LOGIN PASSWORD '{role.Password}'; GRANT SELECT, INSERT ON note TO {role.Name}; GRANT pg_monitor TO {role.Name}");
            await cluster.WaitForReplicationAsync(ct);
            return role;
        }

        public void Use(DatabaseRouterOptions options) => Use(options, Password);

        public void Use(DatabaseRouterOptions options, string password)
        {
            foreach (var host in options.Hosts.Values)
            {
                var settings = new NpgsqlConnectionStringBuilder(ConnectionStringParser.Parse(host.ConnectionString)[0].ConnectionString)
                {
                    Username = Name,
                    Password = password,
                    // In seconds, so that there are logins all the time.
                    ConnectionLifetime = 1,
                };
                host.ConnectionString = settings.ConnectionString;
            }
        }

        public async Task ChangePasswordAsync(string password)
        {
            await ExecuteAsync($"ALTER ROLE {Name} PASSWORD '{password}'");
            Password = password;
        }

        public async ValueTask DisposeAsync() => await ExecuteAsync($"DROP OWNED BY {Name}; DROP ROLE {Name}");

        private async Task ExecuteAsync(string sql)
        {
            var database = new NpgsqlConnectionStringBuilder(cluster.Primary.ConnectionString).Database;
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(cluster.Primary.SuperuserConnectionString) { Database = database }.ConnectionString);
            await connection.ExecuteAsync(sql);
        }
    }
}
