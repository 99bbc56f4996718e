using System.Globalization;
using System.Text;
using Npgsql;

namespace ReplicaRouter.Tests.Discovery;

/// <summary>What a foreign server receives from the router when an attacker makes a discovery source name it.</summary>
[Trait("Failure", "C2")]
public sealed class DiscoveredLoginTests
{
    private const string Password = "correct-horse-battery";

    /// <returns>The error that the router reports for a server that a fake Patroni names.</returns>
    private static async Task<string> HostErrorAsync(FakePostgresServer server, string parameters = "")
    {
        await using var patroni = new FakePatroni
        {
            Answer = string.Create(CultureInfo.InvariantCulture, $$"""{"members": [{"name": "pg-1", "role": "leader", "host": "127.0.0.1", "port": {{server.Port}}}]}"""),
        };
        var options = new DatabaseRouterOptions();
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = $"postgresql://app:{Password}@127.0.0.1:1/app{parameters}" };
        options.Discovery.Patroni.Urls.Add(patroni.Url.ToString());
        await using var router = DatabaseRouter.Create(options);
        // The second login request shows that the first login has ended.
        await UntilAsync(() => server.Asked >= 2 && router.GetHealthStatus().GetValueOrDefault("pg-1") is { Error: not null and not "not probed yet" });
        return router.GetHealthStatus()["pg-1"].Error!;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (!condition()) await Task.Delay(20, limit.Token);
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 3 })]
    [InlineData(new byte[] { 0, 0, 0, 5, 1, 2, 3, 4 })]
    [InlineData(new byte[] { 0, 0, 0, 0 })]
    public async Task A_discovered_server_that_does_not_request_SCRAM_gets_nothing(byte[] request)
    {
        await using var server = new FakePostgresServer(_ => request);
        var error = await HostErrorAsync(server);
        Assert.Empty(server.Received);
        Assert.Contains("offers no allowed authentication method", error, StringComparison.Ordinal);
        Assert.Contains("by SCRAM only", error, StringComparison.Ordinal);
    }

    /// <summary>RFC 5802: the client's proof is valid for one exchange only, and the server must prove in turn that it knows the password.</summary>
    [Fact]
    public async Task A_server_that_does_not_know_the_password_gets_a_SCRAM_proof_but_no_statement()
    {
        await using var server = new FakePostgresServer(
            _ => [0, 0, 0, 10, .. "SCRAM-SHA-256\0\0"u8],
            first => [0, 0, 0, 11, .. Encoding.ASCII.GetBytes($"r={first[(first.IndexOf(",r=", StringComparison.Ordinal) + 3)..]}x,s=c2FsdA==,i=4096")],
            _ => [0, 0, 0, 12, .. "v=bm90IHRoZSByaWdodCBzaWduYXR1cmU="u8]);
        var error = await HostErrorAsync(server);
        Assert.Contains("Unable to verify server signature", error, StringComparison.Ordinal);
        Assert.Contains(",p=", server.Received, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, server.Received, StringComparison.Ordinal);
        Assert.DoesNotContain("SELECT", server.Received, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_primarys_connection_string_can_allow_another_method()
    {
        await using var server = new FakePostgresServer(_ => [0, 0, 0, 3]);
        await HostErrorAsync(server, "?require_auth=password");
        Assert.Contains(Password, server.Received, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", false, DiscoveredLogin.Scram)]
    [InlineData("", true, DiscoveredLogin.Scram)]
    [InlineData("SSL Mode=Require", true, DiscoveredLogin.Scram)]
    [InlineData("SSL Mode=VerifyFull", false, DiscoveredLogin.Scram)]
    [InlineData("SSL Mode=VerifyCA", true, DiscoveredLogin.Scram)]
    [InlineData("SSL Mode=VerifyFull", true, null)]
    [InlineData("SSL Mode=VerifyFull;Root Certificate=ca.pem", false, null)]
    [InlineData("SSL Mode=VerifyCA;Root Certificate=ca.pem", false, null)]
    [InlineData("Require Auth=MD5", false, "MD5")]
    public void Only_a_proving_certificate_or_an_explicit_setting_allows_more_than_SCRAM(string settings, bool hasList, string? required)
    {
        string[] entries = hasList ? ["10.0.0.0/8"] : [];
        var allowed = AllowedHosts.Parse(entries, "key", []);
        var login = DiscoveredLogin.Of(new NpgsqlConnectionStringBuilder($"Host=db-1;Username=app;Password=x;{settings}"), new DiscoveredHost("10.0.0.7", 5433), allowed);
        Assert.Equal((required, "10.0.0.7", 5433, "app"), (login.RequireAuth, login.Host, login.Port, login.Username));
    }

    [Theory]
    [InlineData("", null, true)]
    [InlineData("", "10.0.0.0/8", false)]
    [InlineData("?sslmode=verify-full&sslrootcert=/dev/null", null, false)]
    public void A_warning_is_logged_at_start_if_sources_could_name_any_server(string parameters, string? allowed, bool warns)
    {
        var options = new DatabaseRouterOptions();
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = $"postgresql://app:{Password}@127.0.0.1:1/app{parameters}", Source = "DATABASE_URL" };
        options.Discovery.Patroni.Urls.Add("http://127.0.0.1:1");
        if (allowed is not null) options.Discovery.AllowedHosts.Add(allowed);
        using var log = new RecordingLogger();
        using var router = DatabaseRouter.Create(options, log);
        Assert.Equal(warns ? 1 : 0, log[333].Count);
        if (warns) Assert.Contains("sslmode=verify-full and sslrootcert in DATABASE_URL", log[333][0], StringComparison.Ordinal);
    }
}
