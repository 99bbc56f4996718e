using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests;

public class DatabaseRouterTests
{
    private static ClusterRouter Router(DatabaseRouterOptions options, Func<HostConfiguration, IHostProbe> probe) =>
        new(RouterConfigurationBuilder.Build(options), createProbe: probe);

    private static ClusterRouter Healthy(DatabaseRouterOptions? options = null) => Router(
        options ?? OptionsFor("primary", "analytics", "background"),
        host => FakeProbe.Of((host.IsConfiguredPrimary ? Primary(100) : Replica(100)) with { StartedAt = host.Index }));

    [Fact]
    public async Task Each_operation_gets_the_pool_of_its_host_and_route()
    {
        await using var router = Healthy();
        Assert.Contains("Host=10.0.0.1", router.GetClient(DatabaseOperation.Write).ConnectionString, StringComparison.Ordinal);
        Assert.Contains("Host=10.0.0.2", router.GetClient(DatabaseOperation.Analytics).ConnectionString, StringComparison.Ordinal);
        Assert.Contains("Host=10.0.0.3", router.GetClient(DatabaseOperation.Background).ConnectionString, StringComparison.Ordinal);
        Assert.DoesNotContain("Host=10.0.0.1", router.GetClient("read").ConnectionString, StringComparison.Ordinal);
        Assert.Same(router.GetClient(DatabaseOperation.Analytics), router.GetClient("analytics"));
    }

    [Fact]
    public async Task Read_pools_are_read_only_and_each_route_has_its_own_settings()
    {
        var options = OptionsFor("primary", "analytics");
        options.ApplicationName = "shop";
        options.Routes["analytics"] = new DatabaseRouteOptions { MaxPoolSize = 3, CommandTimeout = TimeSpan.FromSeconds(77) };
        await using var router = Healthy(options);
        var analytics = new Npgsql.NpgsqlConnectionStringBuilder(router.GetClient(DatabaseOperation.Analytics).ConnectionString);
        Assert.Equal((3, 77, "shop analytics"), (analytics.MaxPoolSize, analytics.CommandTimeout, analytics.ApplicationName));
        Assert.Contains("default_transaction_read_only=on", analytics.Options, StringComparison.Ordinal);
        var write = new Npgsql.NpgsqlConnectionStringBuilder(router.GetClient(DatabaseOperation.Write).ConnectionString);
        Assert.Equal((20, 5, null), (write.MaxPoolSize, write.Timeout, write.Options));
    }

    [Fact]
    public async Task A_drained_host_gets_no_clients_until_it_is_restored()
    {
        await using var router = Healthy();
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await router.DrainAsync("Analytics", TestContext.Current.CancellationToken);
        Assert.True(router.GetHealthStatus()["analytics"].IsDrained);
        Assert.True(router.GetHealthStatus()["analytics"].IsHealthy);
        Assert.Contains("Host=10.0.0.3", router.GetClient(DatabaseOperation.Analytics).ConnectionString, StringComparison.Ordinal);
        Assert.Equal(new RouteFallback { Route = "analytics", Reason = "Drained", Count = 1 }, Assert.Single(router.GetMetrics().Fallbacks));
        await router.RestoreAsync("analytics", TestContext.Current.CancellationToken);
        Assert.Contains("Host=10.0.0.2", router.GetClient(DatabaseOperation.Analytics).ConnectionString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Draining_an_unknown_host_fails_and_lists_the_known_hosts()
    {
        await using var router = Healthy();
        var error = await Assert.ThrowsAsync<ArgumentException>(() => router.DrainAsync("analitics", TestContext.Current.CancellationToken));
        Assert.Contains("primary, analytics, background", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Forcing_reads_to_the_primary_counts_once_but_not_as_a_failover()
    {
        await using var router = Healthy();
        await router.ForceFailoverToPrimaryAsync(TestContext.Current.CancellationToken);
        await router.ForceFailoverToPrimaryAsync(TestContext.Current.CancellationToken);
        Assert.Contains("Host=10.0.0.1", router.GetClient(DatabaseOperation.Read).ConnectionString, StringComparison.Ordinal);
        Assert.Equal((0, 1), (router.GetMetrics().Failovers, router.GetMetrics().ForcedToPrimary));
        Assert.All(router.GetHealthStatus().Values, host => Assert.True(host.IsHealthy));
        await router.ForceFailoverToPrimaryAsync(TimeSpan.FromTicks(1), TestContext.Current.CancellationToken);
        Assert.DoesNotContain("Host=10.0.0.1", router.GetClient(DatabaseOperation.Read).ConnectionString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reads_can_be_forced_to_the_primary_for_the_longest_TimeSpan()
    {
        await using var router = Healthy();
        await router.ForceFailoverToPrimaryAsync(TimeSpan.MaxValue, TestContext.Current.CancellationToken);
        Assert.Contains("Host=10.0.0.1", router.GetClient(DatabaseOperation.Read).ConnectionString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_longest_time_outs_of_a_call_are_valid()
    {
        var hosts = new DatabaseRouterOptions { Hosts = { ["primary"] = new DatabaseHostOptions { ConnectionString = "postgresql://app@127.0.0.1:1/app" } }, Routes = { ["read"] = new DatabaseRouteOptions { Wait = TimeSpan.Zero } } };
        await using var router = Router(hosts, _ => FakeProbe.Of(Primary(100)));
        await router.WaitUntilReadyAsync(TimeSpan.MaxValue, TestContext.Current.CancellationToken);
        var longest = new OperationOptions { MaxLag = TimeSpan.MaxValue, Deadline = TimeSpan.MaxValue };
        Assert.NotNull(router.GetClient(DatabaseOperation.Read, longest));
        // No server listens on that port.
        await Assert.ThrowsAsync<NoEligibleHostException>(() =>
            router.ExecuteAsync(DatabaseOperation.Read, (_, _) => Task.FromResult(1), longest, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_unbounded_wait_for_readiness_ends_when_the_first_host_answers()
    {
        var options = OptionsFor("primary");
        options.Health.Interval = TimeSpan.FromMilliseconds(50);
        var answers = new TaskCompletionSource<HostAnswer>();
        await using var router = Router(options, _ => new FakeProbe(cancel => answers.Task.WaitAsync(cancel)));
        var ready = router.WaitUntilReadyAsync(TimeSpan.MaxValue, TestContext.Current.CancellationToken);
        answers.SetResult(Primary(100));
        await ready.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(1, 100, 0)]
    [InlineData(2, 100, 1)]
    [InlineData(2, 200, 0)]
    [InlineData(9, 0, 0)]
    public async Task Pools_that_can_exceed_max_connections_together_are_logged_once(int processes, int allowed, int warnings)
    {
        var logger = new RecordingLogger();
        await using var router = new ClusterRouter(RouterConfigurationBuilder.Build(OptionsFor("primary")), logger,
            createProbe: _ => FakeProbe.Of(Primary(100) with { Probers = processes, MaxConnections = allowed }));
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(warnings, logger[318].Count);
        if (warnings > 0) Assert.StartsWith("The pools of 2 processes can open 180 connections to host primary, whose server allows 100.", logger[318][0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_former_primary_that_does_not_answer_has_an_unknown_role()
    {
        var probes = new Dictionary<string, FakeProbe>();
        await using var router = Router(OptionsFor("primary", "analytics"), host => probes[host.Name] = FakeProbe.Of((host.IsConfiguredPrimary ? Primary(100) : Replica(100)) with { StartedAt = host.Index }));
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(HostRole.Primary, router.GetHealthStatus()["primary"].Role);
        probes["primary"].Answer = _ => throw new IOException("gone");
        probes["analytics"].Answer = _ => Task.FromResult(Primary(100, timeline: 2) with { StartedAt = 1 });
        var start = TimeProvider.System.GetTimestamp();
        while (router.GetHealthStatus() is var health && (health["primary"].State, health["analytics"].Role) != (HostState.Down, HostRole.Primary))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(30));
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        Assert.Equal(HostRole.Unknown, router.GetHealthStatus()["primary"].Role);
        Assert.Equal((1, 0), (router.GetMetrics().Failovers, router.GetMetrics().ForcedToPrimary));
    }

    [Fact]
    public async Task Wrong_credentials_on_all_hosts_are_reported_at_once()
    {
        await using var router = Router(OptionsFor("primary"), _ => new FakeProbe(_ => throw Refused()));
        var start = TimeProvider.System.GetTimestamp();
        var error = await Assert.ThrowsAsync<DatabaseRouterConfigurationException>(async () => await router.OpenConnectionAsync(DatabaseOperation.Write, TestContext.Current.CancellationToken));
        Assert.Contains("refuses user 'app'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(5));
    }

    [Fact]
    [Trait("Failure", "B9")]
    public async Task Writes_fail_at_once_when_only_the_primary_refuses_the_credentials()
    {
        await using var router = Router(OptionsFor("primary", "analytics"), host => host.IsConfiguredPrimary ? new FakeProbe(_ => throw Refused()) : FakeProbe.Of(Replica(100)));
        var start = TimeProvider.System.GetTimestamp();
        var error = await Assert.ThrowsAsync<DatabaseRouterConfigurationException>(async () => await router.OpenConnectionAsync(DatabaseOperation.Write, TestContext.Current.CancellationToken));
        Assert.Contains("refuses user 'app'", error.Message, StringComparison.Ordinal);
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(5));
    }

    [Theory]
    [Trait("Failure", "B9")]
    [InlineData("57P03")]
    [InlineData("28P01")]
    public async Task Writes_wait_for_a_primary_that_is_starting_or_has_answered_before(string state)
    {
        var options = OptionsFor("primary", "analytics");
        options.Routes["write"] = new DatabaseRouteOptions { Wait = TimeSpan.FromMilliseconds(100) };
        var answers = state == "57P03" ? 0 : 1;
        await using var router = Router(options, host => !host.IsConfiguredPrimary ? FakeProbe.Of(Replica(100))
            : new FakeProbe(_ => Interlocked.Decrement(ref answers) >= 0 ? Task.FromResult(Primary(100)) : throw new Npgsql.PostgresException("not now", "FATAL", "FATAL", state)));
        await Eventually(() => router.GetHealthStatus()["primary"].State is HostState.Restarting or HostState.Misconfigured);
        await Assert.ThrowsAsync<NoEligibleHostException>(async () => await router.OpenConnectionAsync(DatabaseOperation.Write, TestContext.Current.CancellationToken));
    }

    [Fact]
    [Trait("Failure", "B8")]
    public async Task A_wait_for_a_host_survives_a_suspended_process()
    {
        var time = new FakeTimeProvider();
        var back = new TaskCompletionSource();
        var probes = 0;
        await using var router = new ClusterRouter(RouterConfigurationBuilder.Build(OptionsFor("primary")), timeProvider: time, createProbe: _ => new FakeProbe(async cancellation =>
        {
            if (Interlocked.Increment(ref probes) < 3) throw new IOException("down");
            await back.Task.WaitAsync(cancellation);
            return Primary(100);
        }));
        using var session = router.CreateSession();
        var picking = Task.Run(() => router.GetClient(DatabaseOperation.Write, new OperationOptions { Session = session }), TestContext.Current.CancellationToken);
        // The second answer is known for a whole interval now, and the third stays out: the call waits when its process is suspended.
        await AdvanceUntil(time, () => Volatile.Read(ref probes) >= 3);
        time.Advance(TimeSpan.FromSeconds(30));
        back.SetResult();
        await AdvanceUntil(time, () => picking.IsCompleted);
        Assert.Contains("Host=10.0.0.1", (await picking).ConnectionString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_synchronous_call_waits_for_a_host_until_its_deadline_at_most()
    {
        var time = new FakeTimeProvider();
        var options = OptionsFor("primary");
        options.Routes["write"] = new DatabaseRouteOptions { Wait = TimeSpan.FromMinutes(10) };
        await using var router = new ClusterRouter(RouterConfigurationBuilder.Build(options), timeProvider: time, createProbe: _ => new FakeProbe(_ => throw new IOException("down")));
        var executing = Task.Run(() => router.Execute(DatabaseOperation.Write, _ => 1, new OperationOptions { Deadline = TimeSpan.FromSeconds(1) }), TestContext.Current.CancellationToken);
        // The clock advances by less than a minute.
        await AdvanceUntil(time, () => executing.IsCompleted);
        Assert.True(await Record.ExceptionAsync(() => executing) is TimeoutException or NoEligibleHostException);
    }

    [Fact]
    public async Task Disposing_the_router_ends_reads_that_queue_for_the_primary()
    {
        var time = new FakeTimeProvider();
        var options = OptionsFor("primary", "analytics");
        options.PrimaryProtection.MaxReadsPerSecond = 1;
        var router = new ClusterRouter(RouterConfigurationBuilder.Build(options), timeProvider: time, createProbe: host =>
            host.IsConfiguredPrimary ? FakeProbe.Of(Primary(100)) : new FakeProbe(_ => throw new IOException("down")));
        using var session = router.CreateSession();
        Task Read() => Task.Run(() => router.GetClient(DatabaseOperation.Read, new OperationOptions { Session = session }), TestContext.Current.CancellationToken);
        var first = Read();
        await AdvanceUntil(time, () => first.IsCompleted);
        // A slot may be free for one of them by now.
        Task[] others = [Read(), Read()];
        await Task.Delay(50, TestContext.Current.CancellationToken);
        await router.DisposeAsync();
        var ended = Task.WhenAll(others).WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ended);
    }

    private static async Task AdvanceUntil(FakeTimeProvider time, Func<bool> condition)
    {
        await Eventually(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            return condition();
        });
    }

    private static async Task Eventually(Func<bool> condition)
    {
        for (var start = TimeProvider.System.GetTimestamp(); !condition(); await Task.Delay(10, TestContext.Current.CancellationToken))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(10));
        }
    }

    private static Npgsql.PostgresException Refused() =>
        new("password authentication failed for user \"app\"", "FATAL", "FATAL", "28P01");

    [Fact]
    public async Task Without_a_host_in_time_the_error_is_transient_and_gives_every_reason()
    {
        var options = OptionsFor("primary", "analytics");
        options.Routes["write"] = new DatabaseRouteOptions { Wait = TimeSpan.FromMilliseconds(50) };
        await using var router = Router(options, host => host.IsConfiguredPrimary ? new FakeProbe(_ => throw new IOException("cable cut")) : FakeProbe.Of(Replica(100)));
        var error = await Assert.ThrowsAsync<NoEligibleHostException>(async () => await router.OpenConnectionAsync(DatabaseOperation.Write, TestContext.Current.CancellationToken));
        Assert.True(error.IsTransient);
        Assert.Equal(["primary", "analytics"], error.Rejections.Select(r => r.Host));
        Assert.Contains("cable cut", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_wait_ends_at_once()
    {
        await using var router = Router(OptionsFor("primary", "analytics"), _ => new FakeProbe(_ => throw new IOException("down")));
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await router.OpenConnectionAsync(DatabaseOperation.Write, cancel.Token));
    }

    [Fact]
    public async Task After_disposal_every_call_throws_ObjectDisposedException()
    {
        var router = Healthy();
        await router.DisposeAsync();
        await router.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => router.GetClient(DatabaseOperation.Read));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await router.OpenConnectionAsync(DatabaseOperation.Read, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Dependency_injection_provides_the_router_and_one_data_source_per_route()
    {
        using var provider = new ServiceCollection().AddReplicaRouter(o => o.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=10.255.255.1;Password=secret" }).BuildServiceProvider();
        Assert.Same(provider.GetRequiredService<DatabaseRouter>(), provider.GetRequiredService<DatabaseRouter>());
        foreach (var operation in Enum.GetValues<DatabaseOperation>())
        {
            Assert.DoesNotContain("secret", provider.GetRequiredKeyedService<DbDataSource>(operation).ConnectionString, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_invalid_value_fails_the_start_of_the_application()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration["DATABASE_URL"] = "nonsense";
        builder.AddReplicaRouter();
        using var host = builder.Build();
        var error = await Assert.ThrowsAsync<DatabaseRouterConfigurationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.StartsWith("DATABASE_URL is neither", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Failure", "B6")]
    public async Task A_broken_connection_keeps_a_host_up_that_has_answered_since_it_opened()
    {
        await using var router = Healthy();
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        var openedAt = router.Engine.Timestamp;
        while (router.Engine.Topology.Hosts.Single(host => host.Name == "analytics").Last!.SentAt <= openedAt) await Task.Delay(10, TestContext.Current.CancellationToken);

        var broken = new Npgsql.NpgsqlException("Exception while reading from stream", new IOException("reset"));
        Assert.NotNull(router.Engine.Report("10.0.0.2", 5432, DatabaseOperation.Read, broken, openedAt, FailureSite.BrokenConnection));
        Assert.DoesNotContain(router.GetMetrics().Transitions, transition => transition.State == HostState.Down);
        // A probe sent right after the reported timestamp can be answered first, so repeat the report.
        await Eventually(() =>
        {
            router.Engine.Report("10.0.0.2", 5432, DatabaseOperation.Read, broken, router.Engine.Timestamp, FailureSite.BrokenConnection);
            return router.GetMetrics().Transitions.Any(transition => transition is { Host: "analytics", State: HostState.Down });
        });
    }
}
