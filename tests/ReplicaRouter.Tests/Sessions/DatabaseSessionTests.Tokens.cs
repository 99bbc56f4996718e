using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Sessions;

public sealed partial class DatabaseSessionTests
{
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
        Assert.Contains("AcceptedTokenSecrets requires TokenSecret", Assert.Throws<DatabaseRouterConfigurationException>(() => RouterConfigurationBuilder.Build(options)).Message, StringComparison.Ordinal);
        options.TokenSecret = new string('s', 32);
        var message = Assert.Throws<DatabaseRouterConfigurationException>(() => RouterConfigurationBuilder.Build(options)).Message;
        Assert.Contains("AcceptedTokenSecrets:0 is too short", message, StringComparison.Ordinal);
        Assert.DoesNotContain("short-and-secret", message, StringComparison.Ordinal);
    }
}
