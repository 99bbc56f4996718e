using System.Text;
using Npgsql;

namespace ReplicaRouter.ClusterTests.Failures;

/// <summary>A login that fails in any way is tried on another host.</summary>
[Trait("PostgreSQL", "any")]
[Trait("Failure", "B4")]
public class LoginFailureTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string, bool> Answers => new()
    {
        { "Ecould not fork new process for connection: Cannot allocate memory\n\0", false },
        { "Ecould not fork new process for connection: Cannot allocate memory\n\0", true },
        { "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n400 Bad Request", false },
        { "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n400 Bad Request", true },
        { "R\0\0\0\u0008\0\0\0cR\0\0\0\u0008\0\0\0c", false },
        { "", false },
    };

    /// <summary>The replica's probes still reach the real server, so callers' logins are the first to meet the failure.</summary>
    [Theory]
    [MemberData(nameof(Answers))]
    public async Task A_read_whose_login_reaches_no_PostgreSQL_server_is_served_elsewhere(string answer, bool isTls)
    {
        await using var listener = new FakeListener(Encoding.Latin1.GetBytes(answer));
        var options = fixture.Cluster.Options("primary", "analytics", "background");
        var settings = new NpgsqlConnectionStringBuilder(fixture.Cluster["analytics"].ConnectionString) { Port = listener.Port, Timeout = 2, SslMode = isTls ? SslMode.Prefer : SslMode.Disable };
        options.Hosts["analytics"].ConnectionString = settings.ConnectionString;
        await using var router = new ClusterRouter(RouterConfigurationBuilder.Build(options), createProbe: host =>
            new NpgsqlHostProbe(host.Name == "analytics" ? host with { Connection = new(fixture.Cluster["analytics"].ConnectionString) } : host, TimeSpan.FromSeconds(2), TimeProvider.System));
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
        for (var i = 0; i < 5; i++)
        {
            Assert.NotEqual("analytics", await fixture.Cluster.WhoAsync(router, DatabaseOperation.Analytics));
            Assert.NotEqual("analytics", router.Execute(DatabaseOperation.Analytics, connection => fixture.Cluster.WhoAsync(connection).GetAwaiter().GetResult()));
        }

        Assert.NotEqual(0, listener.Accepted);
    }

    [Fact]
    public async Task A_failed_login_is_described_when_no_other_host_can_serve()
    {
        await using var listener = new FakeListener(FakeListener.NoProcess);
        var settings = new NpgsqlConnectionStringBuilder(fixture.Cluster.Primary.ConnectionString) { Port = listener.Port };
        var options = fixture.Cluster.Options("primary");
        options.Hosts["primary"].ConnectionString = settings.ConnectionString;
        options.Routes["write"] = new DatabaseRouteOptions { Wait = TimeSpan.FromMilliseconds(200) };
        await using var router = new ClusterRouter(RouterConfigurationBuilder.Build(options), createProbe: host =>
            new NpgsqlHostProbe(host with { Connection = new(fixture.Cluster.Primary.ConnectionString) }, TimeSpan.FromSeconds(2), TimeProvider.System));
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
        var error = await Assert.ThrowsAsync<NoEligibleHostException>(async () => await router.OpenConnectionAsync(DatabaseOperation.Write, Ct));
        // Npgsql fails with a network error or an out-of-memory error, depending on whether its allocation succeeds.
        Assert.Contains($"127.0.0.1:{listener.Port}", error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.InnerException);
    }
}
