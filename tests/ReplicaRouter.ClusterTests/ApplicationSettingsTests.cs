using System.Globalization;
using Dapper;
using Npgsql;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests;

/// <summary>An application's session settings apply to the pools of every operation and host, and do not disturb the router's own queries.</summary>
/// <remarks>Runs alone: <c>PGOPTIONS</c> applies to the whole process.</remarks>
[Collection(QuietMachine.Name)]
public sealed class ApplicationSettingsTests(ApplicationSettingsTests.Servers servers) : IClassFixture<ApplicationSettingsTests.Servers>, IDisposable
{
    private const string Tenant = "-c search_path=tenant -c statement_timeout=7s";
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    private readonly LocalCluster _cluster = servers.Cluster;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Environment.SetEnvironmentVariable("PGOPTIONS", null);

    [Theory]
    [InlineData("variable")]
    [InlineData("connection string")]
    [InlineData("code")]
    public async Task Settings_are_the_same_on_all_operations(string way)
    {
        await using var router = await RouterAsync(way, Tenant);
        foreach (var operation in Enum.GetValues<DatabaseOperation>())
        {
            await using var connection = await router.OpenConnectionAsync(operation, Ct);
            Assert.Equal("tenant", await ShowAsync(connection, "search_path"));
            Assert.Equal("7s", await ShowAsync(connection, "statement_timeout"));
            var isReading = operation is not (DatabaseOperation.Write or DatabaseOperation.Transactional);
            Assert.Equal(isReading ? "on" : "off", await ShowAsync(connection, "default_transaction_read_only"));
        }
    }

    /// <summary>A standby refuses every statement in a serializable transaction, and a millisecond is too short for a probe.</summary>
    [Theory]
    [InlineData("variable")]
    [InlineData("connection string")]
    [InlineData("code")]
    public async Task Probes_ignore_limits_meant_for_the_application(string way)
    {
        await using var router = await RouterAsync(way, @"-c default_transaction_isolation=serializable -c statement_timeout=1 -c lock_timeout=1");
        var seen = router.Engine.Topology.Hosts.ToDictionary(host => host.Name, host => host.Observations);
        await Eventually.Async(() =>
        {
            Assert.All(router.GetHealthStatus().Values, host => Assert.True(host.IsHealthy, host.Error));
            return router.Engine.Topology.Hosts.All(host => host.Observations >= seen[host.Name] + 10);
        }, s_bound, "each host is probed ten times");
    }

    [Fact]
    public async Task New_types_of_a_migration_work_on_every_host_without_a_restart_despite_lag()
    {
        await using var router = await RouterAsync("", "", options =>
        {
            options.MaxLag = TimeSpan.FromHours(1);
            options.ConfigureDataSource = source =>
            {
                source.MapEnum<Mood>("mood");
                source.MapEnum<Size>("size");
            };
        });
        // Use every pool before the migration, so that each has already loaded the database's types.
        foreach (var operation in Enum.GetValues<DatabaseOperation>()) await router.ExecuteAsync(operation, (connection, _) => connection.ExecuteScalarAsync<int>("SELECT 1"), Ct);
        await _cluster["analytics"].PauseReplayAsync(Ct);
        await MigrateAsync("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TABLE person (mood mood); INSERT INTO person VALUES ('happy'); CREATE TEMP TABLE passing (n int)");
        await WorksAsync(router, DatabaseOperation.Write, "SELECT mood FROM person", Mood.Happy);
        await WorksAsync(router, DatabaseOperation.Background, "SELECT mood FROM person", Mood.Happy);
        await router.ExecuteAsync(DatabaseOperation.Write, async (connection, ct) =>
        {
            await using var insert = new NpgsqlCommand("INSERT INTO person VALUES ($1)", connection) { Parameters = { new() { Value = Mood.Sad } } };
            await insert.ExecuteNonQueryAsync(ct);
        }, Ct);

        await _cluster["analytics"].ResumeReplayAsync(Ct);
        await WorksAsync(router, DatabaseOperation.Analytics, "SELECT mood FROM person ORDER BY mood DESC", Mood.Happy);

        await MigrateAsync("CREATE TYPE size AS ENUM ('small', 'large'); CREATE TABLE shirt (size size); INSERT INTO shirt VALUES ('large')");
        await using (var connection = await router.OpenConnectionAsync(DatabaseOperation.Write, Ct)) await connection.ReloadTypesAsync(Ct);
        foreach (var operation in Enum.GetValues<DatabaseOperation>()) await WorksAsync(router, operation, "SELECT size FROM shirt", Size.Large);
    }

    private async Task MigrateAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_cluster.Primary.ConnectionString);
        await connection.ExecuteAsync(sql);
    }

    /// <summary>Repeats a read until it returns the value without an error.</summary>
    private static async Task WorksAsync<T>(DatabaseRouter router, DatabaseOperation operation, string sql, T expected) where T : struct, Enum
    {
        var took = await Eventually.Async(async () =>
        {
            try
            {
                return Equals(expected, await router.ExecuteAsync(operation, async (connection, ct) =>
                {
                    await using var command = new NpgsqlCommand(sql, connection);
                    await using var reader = await command.ExecuteReaderAsync(ct);
                    return await reader.ReadAsync(ct) ? reader.GetFieldValue<T>(0) : default;
                }, Ct));
            }
            catch (Exception e) when (e is InvalidCastException or PostgresException or NotSupportedException)
            {
                return false;
            }
        }, s_bound, $"{operation} reads {expected}");
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{operation} reads {expected} after {took.TotalMilliseconds:0} ms"));
    }

    private async Task<DatabaseRouter> RouterAsync(string way, string settings, Action<DatabaseRouterOptions>? configure = null)
    {
        var options = _cluster.Options();
        options.Health.Interval = TimeSpan.FromMilliseconds(100);
        configure?.Invoke(options);
        if (way == "code") options.ConfigureDataSource = source => source.ConnectionStringBuilder.Options = settings;
        if (way == "connection string")
        {
            foreach (var host in options.Hosts.Values) host.ConnectionString = $"{host.ConnectionString}?options={Uri.EscapeDataString(settings)}";
        }

        if (way == "variable") Environment.SetEnvironmentVariable("PGOPTIONS", settings);
        var router = DatabaseRouter.Create(options);
        try
        {
            await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), s_bound, "all healthy");
            return router;
        }
        catch
        {
            await router.DisposeAsync();
            throw;
        }
    }

    private static Task<string?> ShowAsync(NpgsqlConnection connection, string setting) => connection.ExecuteScalarAsync<string>($"SELECT current_setting('{setting}')");

    /// <summary>One cluster for all tests; each leaves the servers as they were, except for the objects that it creates.</summary>
    public sealed class Servers : IAsyncLifetime
    {
        public LocalCluster Cluster { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new() { Name = "analytics" }, new() { Name = "background" }] }, Ct);
            await Cluster.GrantMonitorAsync();
        }

        public ValueTask DisposeAsync() => Cluster.DisposeAsync();
    }

    private enum Mood
    {
        Sad,
        Happy,
    }

    private enum Size
    {
        Small,
        Large,
    }
}
