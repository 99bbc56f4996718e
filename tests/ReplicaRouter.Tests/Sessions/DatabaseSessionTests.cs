using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Sessions;

[Collection(ProcessMemoryTests.Name)]
public sealed class DatabaseSessionTests : IAsyncLifetime
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

    [Fact]
    public void Invalid_tokens_are_ignored_and_counted()
    {
        using (_router.BeginSession("garbage")) Host(DatabaseOperation.Read, new OperationOptions { SessionToken = "\u0000\uFFFF" });
        using (_router.BeginSession(null)) Host(DatabaseOperation.Read, new OperationOptions { SessionToken = "" });
        using (var session = _router.BeginSession()) session.Merge(new string('x', 1_000_000));
        Assert.Equal(3, _router.GetMetrics().Sessions.IgnoredTokens);
    }

    [Fact]
    public async Task With_a_secret_only_tokens_signed_with_it_are_accepted()
    {
        await using var signing = NewRouter(options => options.TokenSecret = new string('s', 32));
        await signing.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), Ct);
        using var ours = signing.CreateSession();
        signing.GetClient(DatabaseOperation.Write, new OperationOptions { Session = ours });
        signing.CreateSession(await ours.GetTokenAsync(Ct));
        Assert.Equal(0, signing.GetMetrics().Sessions.IgnoredTokens);

        using var unsigned = _router.CreateSession();
        Host(DatabaseOperation.Write, new OperationOptions { Session = unsigned });
        signing.CreateSession(await unsigned.GetTokenAsync(Ct));
        Assert.Equal(1, signing.GetMetrics().Sessions.IgnoredTokens);
    }

    [Fact]
    public async Task Job_metadata_carries_the_session()
    {
        var metadata = new Dictionary<string, string>();
        using (var empty = _router.CreateSession()) await empty.WriteToAsync(metadata, Ct);
        Assert.Empty(metadata);

        using (var sender = _router.BeginSession())
        {
            Host(DatabaseOperation.Write);
            await sender.WriteToAsync(metadata, Ct);
        }

        // The client can still be used for writes, so the receiver must ask the primary for its position.
        using var handler = _router.BeginSession(metadata);
        Assert.NotEqual(0UL, handler.State.Demand(_router.Engine.Topology, 0).Unsettled);
        Host(DatabaseOperation.Read);
        Assert.Equal(100UL, handler.State.Demand(_router.Engine.Topology, 0).Floor.Lsn);
    }

    [Fact]
    public async Task Job_metadata_of_a_named_router_has_its_own_key()
    {
        await using var billing = NewRouter(options => options.Names = ConfigurationNames.Of("billing"));
        await billing.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), Ct);
        var metadata = new Dictionary<string, string>();
        using (var sender = billing.CreateSession())
        {
            billing.GetClient(DatabaseOperation.Write, new OperationOptions { Session = sender });
            await sender.WriteToAsync(metadata, Ct);
        }

        Assert.Equal("replica-router-token-billing", Assert.Single(metadata).Key);
        using var handler = billing.BeginSession(metadata);
        Assert.NotEqual(0UL, handler.State.Demand(billing.Topology, 0).Unsettled);
    }

    [Fact]
    public async Task With_a_session_window_reads_stay_on_the_primary_after_a_write()
    {
        await using var router = NewRouter(options => options.SessionWindow = TimeSpan.FromHours(1));
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), Ct);
        string? Read(DatabaseSession session) => HostOf(router.GetClient(DatabaseOperation.Analytics, new OperationOptions { Session = session }));
        using var session = router.CreateSession();
        Assert.Equal("10.0.0.2", Read(session));
        Assert.Equal("", session.GetToken());
        session.State.Wrote(DateTimeOffset.UtcNow);
        Assert.Equal("10.0.0.1", Read(session));
        using var next = router.CreateSession(session.GetToken());
        Assert.Equal("10.0.0.1", Read(next));
        session.State.Wrote(DateTimeOffset.UtcNow.AddHours(-2));
        Assert.Equal("10.0.0.2", Read(session));
    }

    [Fact]
    [Trait("Failure", "C10")]
    public async Task A_token_from_the_future_is_capped_to_the_present()
    {
        await using var router = NewRouter(options => options.SessionWindow = TimeSpan.FromMinutes(1));
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), Ct);
        var token = new SessionToken(default, DateTimeOffset.MaxValue, false).Encode([]);
        for (var hop = 0; hop < 3; hop++)
        {
            using var session = router.CreateSession(token);
            var now = TimeProvider.System.GetUtcNow();
            Assert.True(session.State.Demand(now, TimeSpan.FromMinutes(1)).IsWriteRecent);
            Assert.False(session.State.Demand(now + TimeSpan.FromSeconds(66), TimeSpan.FromMinutes(1)).IsWriteRecent);
            token = await session.GetTokenAsync(Ct);
        }
    }

    [Fact]
    [Trait("Failure", "C10")]
    public async Task Only_reads_kept_on_the_primary_by_a_window_count_as_fallbacks()
    {
        await using var router = NewRouter(options => options.SessionWindow = TimeSpan.FromHours(1));
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), Ct);
        using var session = router.CreateSession(new SessionToken(default, TimeProvider.System.GetUtcNow(), false).Encode([]));
        router.GetClient(DatabaseOperation.Write, new OperationOptions { Session = session });
        router.GetClient(DatabaseOperation.Read, new OperationOptions { Session = session, Consistency = Consistency.Strong });
        Assert.DoesNotContain(router.GetMetrics().Fallbacks, fallback => fallback.Count > 0);
        Assert.Equal("10.0.0.1", HostOf(router.GetClient(DatabaseOperation.Read, new OperationOptions { Session = session })));
        Assert.Equal(("read", nameof(Verdict.BehindSession), 1L), router.GetMetrics().Fallbacks.Where(fallback => fallback.Count > 0).Select(fallback => (fallback.Route, fallback.Reason, fallback.Count)).Single());
    }

    /// <summary>Reads beyond the limit for fallback reads on the primary queue, and are refused when their wait ends.</summary>
    [Fact]
    [Trait("Failure", "C10")]
    public async Task Reads_kept_on_the_primary_by_a_window_are_limited_by_PrimaryProtection()
    {
        await using var router = NewRouter(options =>
        {
            options.SessionWindow = TimeSpan.FromHours(1);
            options.PrimaryProtection.MaxReadsPerSecond = 1;
            options.Routes["read"] = new DatabaseRouteOptions { Wait = TimeSpan.FromMilliseconds(1) };
        });
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), Ct);
        var token = new SessionToken(default, DateTimeOffset.MaxValue, false).Encode([]);
        var refused = 0;
        for (var read = 0; read < 20 && refused == 0; read++)
        {
            using var session = router.CreateSession(token);
            try
            {
                router.GetClient(DatabaseOperation.Read, new OperationOptions { Session = session });
            }
            catch (NoEligibleHostException)
            {
                refused++;
            }
        }

        Assert.Equal(1, refused);
    }

    [Fact]
    [Trait("Failure", "C12")]
    public async Task During_a_secret_rotation_both_secrets_are_accepted_and_the_new_one_signs()
    {
        var (old, young) = (new string('o', 32), new string('y', 32));
        await using var before = NewRouter(options => options.TokenSecret = old);
        await using var during = NewRouter(options =>
        {
            options.TokenSecret = young;
            options.AcceptedTokenSecrets.Add(old);
        });
        await using var after = NewRouter(options => options.TokenSecret = young);
        await during.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), Ct);
        await before.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), Ct);
        using var sender = before.CreateSession();
        before.GetClient(DatabaseOperation.Read, new OperationOptions { Session = sender });
        using var handler = during.CreateSession(await sender.GetTokenAsync(Ct));
        using var last = after.CreateSession(await handler.GetTokenAsync(Ct));
        Assert.Equal((0L, 0L), (during.GetMetrics().Sessions.IgnoredTokens, after.GetMetrics().Sessions.IgnoredTokens));
        using var late = after.CreateSession(await sender.GetTokenAsync(Ct));
        Assert.Equal(1, after.GetMetrics().Sessions.IgnoredTokens);
    }

    [Fact]
    public void Accepted_secrets_are_validated_like_the_signing_one_and_never_shown()
    {
        var options = OptionsFor("primary");
        options.AcceptedTokenSecrets.Add("short-and-secret");
        Assert.Contains("AcceptedTokenSecrets needs TokenSecret", Assert.Throws<DatabaseRouterConfigurationException>(() => RouterConfigurationBuilder.Build(options)).Message, StringComparison.Ordinal);
        options.TokenSecret = new string('s', 32);
        var message = Assert.Throws<DatabaseRouterConfigurationException>(() => RouterConfigurationBuilder.Build(options)).Message;
        Assert.Contains("AcceptedTokenSecrets:0 is too short", message, StringComparison.Ordinal);
        Assert.DoesNotContain("short-and-secret", message, StringComparison.Ordinal);
    }
}
