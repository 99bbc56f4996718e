using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Management;

/// <summary>Configuration changes of running routers.</summary>
public sealed class LiveTopologyTests : IDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(20);

    private readonly RecordingLogger _log = new();
    private Func<HostConfiguration, Task<HostAnswer>>? _login;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _log.Dispose();

    private async Task<DatabaseRouter> ReadyAsync(DatabaseRouterOptions options)
    {
        var router = new ClusterRouter(RouterConfigurationBuilder.Build(options), _log, createProbe: Probe);
        await router.WaitUntilReadyAsync(s_bound, Ct);
        return router;
    }

    private FakeProbe Probe(HostConfiguration host)
    {
        var answer = (host.IsConfiguredPrimary ? Primary(100) : Replica(100)) with { StartedAt = host.Connection.Host!.GetHashCode(StringComparison.Ordinal) };
        var probe = FakeProbe.Of(answer);
        probe.Login = _ => _login?.Invoke(host) ?? Task.FromResult(answer);
        return probe;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_bound, "The condition never became true.");
            await Task.Delay(5, Ct);
        }
    }

    private static string? HostOf(NpgsqlDataSource client) => new NpgsqlConnectionStringBuilder(client.ConnectionString).Host;

    [Fact]
    public async Task An_added_host_serves_once_it_was_probed()
    {
        await using var router = await ReadyAsync(OptionsFor("primary"));
        Assert.Equal("10.0.0.1", HostOf(router.GetClient(DatabaseOperation.Analytics)));
        router.Reload(OptionsFor("primary", "analytics"));
        await UntilAsync(() => HostOf(router.GetClient(DatabaseOperation.Analytics)) == "10.0.0.2");
        Assert.Equal(["primary", "analytics"], router.GetHealthStatus().Keys);
        Assert.Single(_log[310]);
    }

    [Fact]
    public async Task A_removed_host_gets_no_new_work_and_is_no_longer_shown()
    {
        await using var router = await ReadyAsync(OptionsFor("primary", "analytics"));
        await UntilAsync(() => HostOf(router.GetClient(DatabaseOperation.Analytics)) == "10.0.0.2");
        router.Reload(OptionsFor("primary"));
        Assert.Equal("10.0.0.1", HostOf(router.GetClient(DatabaseOperation.Analytics)));
        Assert.Equal(["primary"], router.GetHealthStatus().Keys);
        Assert.NotNull(router.GetMetrics().LastHealthCheck);
        await Assert.ThrowsAsync<ArgumentException>(() => router.DrainAsync("analytics", Ct));
        Assert.Single(_log[311]);
    }

    [Fact]
    public async Task An_invalid_configuration_is_rejected_as_a_whole()
    {
        await using var router = await ReadyAsync(OptionsFor("primary", "analytics"));
        var wrong = OptionsFor("primary", "background");
        wrong.Hosts["replica-3"] = new DatabaseHostOptions { ConnectionString = "nonsense", Weight = 0 };
        var error = Assert.Throws<DatabaseRouterConfigurationException>(() => router.Reload(wrong));
        Assert.Contains("Hosts:replica-3:Weight is 0", error.Message, StringComparison.Ordinal);
        Assert.Contains("neither a postgresql:// URL", error.Message, StringComparison.Ordinal);
        Assert.Equal(["primary", "analytics"], router.GetHealthStatus().Keys);
    }

    [Fact]
    public async Task Weights_and_groups_change_without_a_new_pool()
    {
        await using var router = await ReadyAsync(OptionsFor("primary", "analytics"));
        await UntilAsync(() => HostOf(router.GetClient(DatabaseOperation.Analytics)) == "10.0.0.2");
        var before = router.GetClient(DatabaseOperation.Analytics);
        var options = OptionsFor("primary", "analytics");
        options.Hosts["analytics"].Weight = 5;
        options.Hosts["analytics"].Groups.Add("analytics");
        router.Reload(options);
        Assert.Same(before, router.GetClient(DatabaseOperation.Analytics));
        Assert.Equal("10.0.0.1", HostOf(router.GetClient(DatabaseOperation.Read)));
        Assert.Single(_log[312]);
        Assert.Equal(HostState.Healthy, router.GetHealthStatus()["analytics"].State);
    }

    [Fact]
    public async Task A_changed_connection_string_opens_a_new_pool_and_the_old_one_stays_usable()
    {
        await using var router = await ReadyAsync(OptionsFor("primary"));
        var before = router.GetClient(DatabaseOperation.Write);
        var options = OptionsFor("primary");
        options.Hosts["primary"].ConnectionString += "?maximum pool size=7";
        router.Reload(options);
        await UntilAsync(() => !ReferenceEquals(before, router.GetClient(DatabaseOperation.Write)));
        Assert.Equal(7, new NpgsqlConnectionStringBuilder(router.GetClient(DatabaseOperation.Write).ConnectionString).MaxPoolSize);
        Assert.Equal(HostState.Healthy, router.GetHealthStatus()["primary"].State);
        // The old pool is not disposed: opening fails only because there is no server.
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var soon = new CancellationTokenSource(50);
            await before.OpenConnectionAsync(soon.Token);
        });
        await using var connection = before.CreateConnection();
    }

    [Fact]
    public async Task A_changed_connection_string_is_used_only_once_the_server_accepts_it()
    {
        await using var router = await ReadyAsync(OptionsFor("primary"));
        var before = router.GetClient(DatabaseOperation.Write);
        var isRefused = true;
        _login = host => host.Connection.Password == "changed" && Volatile.Read(ref isRefused)
            ? Task.FromException<HostAnswer>(new PostgresException("no", "FATAL", "FATAL", PostgresErrorCodes.InvalidPassword))
            : Task.FromResult(Primary(100));
        var options = OptionsFor("primary");
        options.Hosts["primary"].ConnectionString = "postgresql://app:changed@10.0.0.1/app";
        router.Reload(options);
        await UntilAsync(() => _log[314].Count == 1);
        router.Reload(options);
        Assert.Same(before, router.GetClient(DatabaseOperation.Write));

        Volatile.Write(ref isRefused, false);
        await UntilAsync(() => !ReferenceEquals(before, router.GetClient(DatabaseOperation.Write)));
        await UntilAsync(() => _log[313].Count == 1);
        Assert.Single(_log[314]);
        Assert.All(_log[314], text => Assert.DoesNotContain("changed@", text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Host_indexes_are_reused_only_after_their_hosts_are_drained()
    {
        var names = Enumerable.Range(0, RouterConfiguration.MostHosts - 1).Select(i => $"r-{i}").Prepend("primary").ToArray();
        var options = OptionsFor(names);
        options.DrainTimeout = TimeSpan.FromMilliseconds(300);
        await using var router = await ReadyAsync(options);
        var other = OptionsFor([.. names[..^1], "other"]);
        other.Hosts["other"].ConnectionString = "postgresql://app:secret@10.0.9.9/app";
        var error = Assert.Throws<DatabaseRouterConfigurationException>(() => router.Reload(other));
        Assert.Contains("at most 64", error.Message, StringComparison.Ordinal);

        router.Reload(OptionsFor(names[..^1]));
        await UntilAsync(() =>
        {
            try
            {
                router.Reload(other);
                return true;
            }
            catch (DatabaseRouterConfigurationException)
            {
                return false;
            }
        });
        await UntilAsync(() => router.GetHealthStatus()["other"].State == HostState.Healthy);
        Assert.Equal(RouterConfiguration.MostHosts, router.GetHealthStatus().Count);
    }

    [Fact]
    public async Task Changes_that_need_a_restart_are_logged()
    {
        await using var router = await ReadyAsync(OptionsFor("primary"));
        router.Reload(OptionsFor("primary"));
        Assert.Empty(_log[321]);
        var options = OptionsFor("primary");
        options.Routes["read"] = new DatabaseRouteOptions { MaxPoolSize = 4 };
        router.Reload(options);
        Assert.Single(_log[321]);
    }

    [Fact]
    public async Task Configuration_reloads_are_applied_and_an_invalid_one_is_logged_once()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("DATABASE_URL", "postgresql://app:secret@10.255.255.1/app")]);
        builder.Services.AddSingleton<ILoggerFactory>(_log);
        builder.AddReplicaRouter();
        using var host = builder.Build();
        await using var router = host.Services.GetRequiredService<DatabaseRouter>();
        Assert.Equal(["primary"], router.GetHealthStatus().Keys);

        builder.Configuration["ReplicaRouter:Hosts:analytics:ConnectionString"] = "postgresql://app:secret@10.255.255.2/app";
        ((IConfigurationRoot)builder.Configuration).Reload();
        await UntilAsync(() => router.GetHealthStatus().ContainsKey("analytics"));

        builder.Configuration["ReplicaRouter:Hosts:analytics:ConnectionString"] = "nonsense";
        ((IConfigurationRoot)builder.Configuration).Reload();
        await UntilAsync(() => _log[320].Count > 0);
        Assert.Contains("ReplicaRouter:Hosts:analytics:ConnectionString is neither", Assert.Single(_log[320]), StringComparison.Ordinal);
        Assert.Equal(["primary", "analytics"], router.GetHealthStatus().Keys);
    }

    [Fact]
    public async Task A_changed_weight_reaches_the_pools_and_the_snapshot()
    {
        await using var router = await ReadyAsync(OptionsFor("primary", "analytics"));
        var options = OptionsFor("primary", "analytics");
        options.Hosts["analytics"].Weight = 5;
        router.Reload(options);
        Assert.Equal(5, router.Engine.Pools.Single(pools => pools.Host.Name == "analytics").Host.Weight);
        Assert.Equal(5, router.Engine.Topology.Hosts[1].Configuration.Weight);
        Assert.Equal(1, router.Engine.Topology.Hosts[0].Configuration.Weight);
    }

    [Fact]
    public async Task New_connection_settings_reach_the_snapshot_and_survive_a_later_change_of_the_weight()
    {
        await using var router = await ReadyAsync(OptionsFor("primary"));
        var options = OptionsFor("primary");
        options.Hosts["primary"].ConnectionString = "postgresql://app:changed@10.0.0.1/app";
        router.Reload(options);
        await UntilAsync(() => _log[313].Count == 1);
        Assert.Equal("changed", router.Engine.Topology.Hosts[0].Configuration.Connection.Password);
        options.Hosts["primary"].Weight = 5;
        router.Reload(options);
        var host = router.Engine.Topology.Hosts[0].Configuration;
        Assert.Equal(("changed", 5), (host.Connection.Password, host.Weight));
    }

    /// <summary>Returns options with another password, and a time-out that no login reaches.</summary>
    private static DatabaseRouterOptions WithPassword(string host, string password)
    {
        var options = OptionsFor("primary", "analytics");
        options.Health.Timeout = s_bound;
        options.Hosts[host].ConnectionString = options.Hosts[host].ConnectionString.Replace("secret", password, StringComparison.Ordinal);
        return options;
    }

    [Fact]
    public async Task Of_two_changes_of_a_connection_string_the_later_one_wins_whichever_the_server_accepts_first()
    {
        await using var router = await ReadyAsync(WithPassword("primary", "secret"));
        var first = new TaskCompletionSource<HostAnswer>();
        _login = host => host.Connection.Password == "first" ? first.Task : Task.FromResult(Primary(100));
        router.Reload(WithPassword("primary", "first"));
        router.Reload(WithPassword("primary", "second"));
        await UntilAsync(() => _log[313].Count > 0);
        Assert.Equal("second", router.Engine.Topology.Hosts[0].Configuration.Connection.Password);
        await Task.Run(() => first.SetResult(Primary(100)), Ct);
        Assert.Equal("second", router.Engine.Topology.Hosts[0].Configuration.Connection.Password);
        Assert.Single(_log[313]);
    }

    [Fact]
    public async Task A_host_that_is_removed_gets_no_new_connection_settings_any_more()
    {
        await using var router = await ReadyAsync(WithPassword("primary", "secret"));
        var (answer, isAsked) = (new TaskCompletionSource<HostAnswer>(), new TaskCompletionSource());
        _login = host =>
        {
            if (host.Connection.Password != "changed") return Task.FromResult(Primary(100));
            isAsked.TrySetResult();
            return answer.Task;
        };
        router.Reload(WithPassword("analytics", "changed"));
        await isAsked.Task.WaitAsync(s_bound, Ct);
        router.Reload(OptionsFor("primary"));
        await Task.Run(() => answer.SetResult(Replica(100)), Ct);
        Assert.Equal(["primary"], router.GetHealthStatus().Keys);
        Assert.Empty(_log[313]);
    }

    [Fact]
    public async Task The_counters_of_a_removed_host_are_dropped_once_it_is_drained_unless_another_host_has_its_name()
    {
        var options = OptionsFor("primary", "analytics", "background");
        options.DrainTimeout = TimeSpan.FromMilliseconds(200);
        await using var router = await ReadyAsync(options);
        bool IsCounted(string host) => router.GetMetrics().Transitions.Any(transition => transition.Host == host);
        await UntilAsync(() => IsCounted("analytics") && IsCounted("background"));
        var next = OptionsFor("primary", "analytics");
        next.Hosts["analytics"].ConnectionString = "postgresql://app:secret@10.0.9.9/app";
        router.Reload(next);
        await UntilAsync(() => !IsCounted("background"));
        await UntilAsync(() => router.Engine.Topology.Hosts[1].State == HostState.Healthy);
        Assert.True(IsCounted("analytics"));
    }
}
