using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Sessions;

[Collection(ProcessMemoryTests.Name)]
public sealed partial class DatabaseSessionTests : IAsyncLifetime
{
    private readonly ClusterRouter _router = NewRouter();

    private static ClusterRouter NewRouter(Action<DatabaseRouterOptions>? configure = null)
    {
        var options = OptionsFor("primary", "analytics", "background");
        configure?.Invoke(options);
        return new ClusterRouter(RouterConfigurationBuilder.Build(options),
            createProbe: host => FakeProbe.Of((host.IsConfiguredPrimary ? Primary(100) : Replica(100)) with { StartedAt = host.Index }));
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _router.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), Ct);

    public ValueTask DisposeAsync() => _router.DisposeAsync();

    private SessionState? Current => _router.CurrentSession?.State;

    private static string? HostOf(NpgsqlDataSource client) => new NpgsqlConnectionStringBuilder(client.ConnectionString).Host;

    private string? Host(DatabaseRoute route, OperationOptions? options = null) => HostOf(_router.GetClient(route, options));

    [Fact]
    public void A_session_is_ambient_from_BeginSession_until_its_disposal()
    {
        Assert.Null(Current);
        using (var session = _router.BeginSession()) Assert.Same(session.State, Current);
        Assert.Null(Current);
    }

    private sealed class Origin(params string[] tokens) : SessionOrigin
    {
        public int Reads { get; private set; }

        public override IEnumerable<string?> ReadTokens()
        {
            Reads++;
            return tokens;
        }
    }

    [Fact]
    public async Task An_origin_is_read_once_at_first_use_and_does_not_count_as_news()
    {
        using var earlier = _router.CreateSession();
        Host(DatabaseOperation.Write, new OperationOptions { Session = earlier });
        var origin = new Origin(await earlier.GetTokenAsync(Ct), "nonsense");
        using var session = _router.Engine.BeginSessionFrom(origin);
        Assert.Equal((0, false), (origin.Reads, session.HasNews));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => session.State, Ct)));
        Assert.Equal((1, false), (origin.Reads, session.HasNews));
        Assert.Equal(1, _router.GetMetrics().Sessions.IgnoredTokens);
        Assert.NotEqual("", await session.GetTokenAsync(Ct));
        Host(DatabaseOperation.Read);
        Assert.True(session.HasNews);
    }

    [Fact]
    public async Task An_origin_inside_another_session_binds_that_session_at_once()
    {
        using var earlier = _router.CreateSession();
        Host(DatabaseOperation.Write, new OperationOptions { Session = earlier });
        var origin = new Origin(await earlier.GetTokenAsync(Ct));
        using var outer = _router.BeginSession();
        using var inner = _router.Engine.BeginSessionFrom(origin);
        Assert.Equal((1, true), (origin.Reads, outer.HasNews));
    }

    [Fact]
    public async Task A_session_flows_to_awaited_and_started_code_but_not_to_its_caller()
    {
        using var session = _router.BeginSession();
        await Task.Yield();
        Assert.Same(session.State, Current);
        Assert.Same(session.State, await Task.Run(() => Current, Ct));

        async Task BeginAsync()
        {
            using var _ = _router.BeginSession();
            await Task.Yield();
        }

        await BeginAsync();
        Assert.Same(session.State, Current);
    }

    /// <summary>Each step of an async iterator runs in the execution context of its consumer, and its changes to that context are undone when it ends.</summary>
    [Fact]
    [Trait("Failure", "A7")]
    public async Task An_async_iterator_can_re_enter_a_session_after_each_yield()
    {
        using var session = _router.CreateSession();
        async IAsyncEnumerable<SessionState?> StepsAsync()
        {
            for (var step = 0; step < 3; step++)
            {
                SessionState? seen;
                using (session.Enter())
                {
                    await Task.Yield();
                    seen = await Task.Run(() => Current, Ct);
                }

                yield return seen;
            }
        }

        await foreach (var seen in StepsAsync())
        {
            Assert.Same(session.State, seen);
            Assert.Null(Current);
        }
    }

    [Fact]
    [Trait("Failure", "A7")]
    public void Entering_a_session_replaces_the_ambient_one_until_it_is_left()
    {
        using var outer = _router.BeginSession();
        var session = _router.CreateSession();
        using (session.Enter())
        {
            Assert.Same(session.State, Current);
            using (_router.BeginSession()) Assert.Same(session.State, Current);
        }

        Assert.Same(outer.State, Current);
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(session.Enter);
    }

    [Fact]
    public async Task A_task_that_outlives_its_session_has_none_H36()
    {
        var isOver = new TaskCompletionSource();
        Task<SessionState?> straggler;
        using (_router.BeginSession())
        {
            straggler = Task.Run(async () =>
            {
                await isOver.Task;
                return Current;
            }, Ct);
        }

        isOver.SetResult();
        Assert.Null(await straggler);
    }

    [Fact]
    public void A_session_inside_another_one_continues_it()
    {
        using var outer = _router.BeginSession();
        using (var inner = _router.BeginSession()) Assert.Same(outer.State, inner.State);
        Assert.Same(outer.State, Current);
        using (_router.CreateSession()) Assert.Same(outer.State, Current);
    }

    [Fact]
    public void Sessions_disposed_out_of_order_or_twice_do_not_come_back()
    {
        var outer = _router.BeginSession();
        var inner = _router.BeginSession();
        outer.Dispose();
        Assert.Same(inner.State, Current);
        inner.Dispose();
        inner.Dispose();
        Assert.Null(Current);
    }

    [Fact]
    public async Task A_session_applies_to_its_own_router_only()
    {
        await using var other = NewRouter();
        using var session = _router.BeginSession();
        Assert.Null(other.CurrentSession);
        using var second = other.BeginSession();
        Assert.Same(session.State, Current);
        Assert.Same(second.State, other.CurrentSession!.State);
        Assert.Throws<ArgumentException>(() => other.GetClient(DatabaseOperation.Read, new OperationOptions { Session = session }));
    }

    [Fact]
    public void A_disposed_session_is_rejected_but_its_token_stays_readable()
    {
        var session = _router.CreateSession();
        Host(DatabaseOperation.Read, new OperationOptions { Session = session });
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Host(DatabaseOperation.Read, new OperationOptions { Session = session }));
        Assert.NotEmpty(session.GetToken());
    }

    [Fact]
    public void A_million_consecutive_sessions_leak_no_memory_H37()
    {
        for (var i = 0; i < 1000; i++) _router.BeginSession().Dispose();
        var before = GC.GetTotalMemory(true);
        for (var i = 0; i < 1_000_000; i++)
        {
            var session = _router.BeginSession();
            if (i % 2 == 0) session.Dispose();                                  // the user forgets to dispose the others...
            else if (i % 1000 == 999) Reset();                                  // ...until the flow that holds them ends
        }

        Reset();
        Assert.InRange(GC.GetTotalMemory(true) - before, -10_000_000, 1_000_000);

        void Reset()
        {
            for (var current = _router.CurrentSession; current is not null; current = _router.CurrentSession) current.Dispose();
        }
    }

    [Fact]
    public async Task A_write_affects_its_own_session_and_no_other_H22()
    {
        using (var session = _router.BeginSession())
        {
            Host(DatabaseOperation.Write);
            Assert.NotEmpty(await session.GetTokenAsync(Ct));
        }

        var hosts = new SortedDictionary<string, int>();
        for (var i = 0; i < 1000; i++)
        {
            using var session = _router.BeginSession();
            var host = Host(DatabaseOperation.Read)!;
            hosts[host] = hosts.GetValueOrDefault(host) + 1;
        }

        Assert.Equal(["10.0.0.2", "10.0.0.3"], hosts.Keys);
        Assert.All(hosts.Values, count => Assert.InRange(count, 400, 600));
    }

    [Theory]
    [InlineData(Consistency.Strong, "10.0.0.1")]
    [InlineData(Consistency.Session, "10.0.0.2")]
    [InlineData(Consistency.Eventual, "10.0.0.2")]
    public async Task Consistency_can_be_set_per_call_and_per_route(Consistency consistency, string host)
    {
        Assert.Equal(host, Host(DatabaseOperation.Analytics, new OperationOptions { Consistency = consistency }));
        await using var router = NewRouter(options => options.Routes["analytics"] = new DatabaseRouteOptions { Consistency = consistency });
        Assert.Equal(host, HostOf(router.GetClient(DatabaseOperation.Analytics)));
    }
}
