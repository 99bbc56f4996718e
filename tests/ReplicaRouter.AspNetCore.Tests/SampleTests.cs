using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Accounting.Clients;
using Accounting.Database;
using Accounting.Organizations;
using Microsoft.Extensions.DependencyInjection;
using ReplicaRouter.Testing;

namespace ReplicaRouter.AspNetCore.Tests;

/// <summary>Real requests to the running sample, over real servers.</summary>
public class SampleTests(SampleFixture sample) : IClassFixture<SampleFixture>
{
    private const string Header = "replica-router-token";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private HttpClient Client(bool keepsCookies = false) => new(new SocketsHttpHandler { UseCookies = keepsCookies, CookieContainer = new CookieContainer() }) { BaseAddress = sample.Address };

    [Theory]
    [InlineData("cookie")]
    [InlineData("header")]
    [InlineData("neither")]
    public async Task A_session_finds_a_new_client_while_replay_is_paused_on_all_replicas(string carrier)
    {
        using var client = Client(keepsCookies: carrier == "cookie");
        var organization = (Guid)(await client.GetFromJsonAsync<JsonArray>("/organizations", Ct))![0]!["id"]!;
        foreach (var replica in Replicas()) await replica.PauseReplayAsync(Ct);
        try
        {
            for (var i = 0; i < 10; i++)
            {
                using var created = await client.PostAsJsonAsync("/clients", new { organizationId = organization, businessName = "New", primaryContactEmail = "new@example.com" }, Ct);
                Assert.Equal(HttpStatusCode.Created, created.StatusCode);
                using var request = new HttpRequestMessage(HttpMethod.Get, created.Headers.Location);
                if (carrier == "header") request.Headers.Add(Header, created.Headers.GetValues(Header).Single());
                using var found = await client.SendAsync(request, Ct);
                // Without either there is no guarantee. That it isn't found shows that the replicas serve the read, and lack the write.
                Assert.Equal(carrier == "neither" ? HttpStatusCode.NotFound : HttpStatusCode.OK, found.StatusCode);
            }
        }
        finally
        {
            foreach (var replica in Replicas()) await replica.ResumeReplayAsync(Ct);
        }
    }

    [Fact]
    public async Task Clients_are_read_on_replicas_and_saved_on_the_primary()
    {
        var clients = sample.Services.GetRequiredService<ClientService>();
        var organizations = sample.Services.GetRequiredService<OrganizationService>();
        var primary = sample.Cluster.Primary.Port;
        using var servedBy = ServedBy.Capture();

        var organization = (await organizations.ListAsync(Ct))[0];
        var known = (await clients.ListAsync(organization.Id, 10, Ct))[0];
        Assert.NotNull(await clients.GetAsync(known.Id, Ct));
        Assert.Equal(3, servedBy.Ports.Count);
        Assert.DoesNotContain(primary, servedBy.Ports);

        var created = await clients.CreateAsync(new CreateClient { OrganizationId = organization.Id, BusinessName = "New", PrimaryContactEmail = "new@example.com" }, Ct);
        var updated = await clients.UpdateAnnualRevenueAsync(created.Id, 1000, Ct);
        Assert.Equal(("active", 1000m, true), (created.Status, updated!.AnnualRevenue, updated.UpdatedAt > created.UpdatedAt));
        Assert.Null(await clients.UpdateAnnualRevenueAsync(Guid.NewGuid(), 1, Ct));
        Assert.Equal(4, servedBy.Ports.Skip(3).Count());
        Assert.All(servedBy.Ports.Skip(3), port => Assert.Equal(primary, port));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("oversized")]
    [InlineData("tampered")]
    public async Task A_bad_cookie_causes_no_error_and_counts_once(string kind)
    {
        using var client = Client();
        using var list = await client.GetAsync("/clients", Ct);
        var good = list.Headers.GetValues(Header).Single();
        var bad = kind switch { "oversized" => new string('A', 8000), "tampered" => good[..^8] + "AAAAAAAA", _ => kind };
        var before = sample.Router.GetMetrics().Sessions.IgnoredTokens;
        using var request = new HttpRequestMessage(HttpMethod.Get, "/clients");
        request.Headers.Add("Cookie", $"replica-router.a={bad}");
        using var response = await client.SendAsync(request, Ct);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(before + 1, sample.Router.GetMetrics().Sessions.IgnoredTokens);
    }

    [Fact]
    public async Task Health_reports_every_state_of_the_cluster()
    {
        var cluster = sample.Cluster;
        using var client = Client();
        await AssertBecomesAsync(client, "healthy", all: 200, ready: (200, "Healthy"));

        await cluster["analytics"].PauseReplayAsync(Ct);
        // Behind an idle primary a paused replica does not lag.
        await using (var primary = new Npgsql.NpgsqlConnection(cluster.Primary.ConnectionString))
        {
            await primary.OpenAsync(Ct);
            await using var command = new Npgsql.NpgsqlCommand("CREATE TABLE lag_test (); DROP TABLE lag_test", primary);
            await command.ExecuteNonQueryAsync(Ct);
        }

        var lagging = await AssertBecomesAsync(client, "lagging", all: 503, ready: (200, "Degraded"), unwell: ["analytics"]);
        Assert.Equal("Lagging", (string?)lagging["databases"]!["analytics"]!["error"]);
        Assert.True((double)lagging["databases"]!["analytics"]!["replicationLag"]! > 3000);
        await cluster["analytics"].ResumeReplayAsync(Ct);
        await AssertBecomesAsync(client, "caught up", all: 200, ready: (200, "Healthy"));

        await cluster["dr"].KillAsync(Ct);
        await AssertBecomesAsync(client, "DR down", all: 503, ready: (200, "Degraded"), unwell: ["dr"]);
        await cluster["dr"].StartAsync(Ct);

        await cluster["analytics"].KillAsync(Ct);
        await AssertBecomesAsync(client, "replica down", all: 503, ready: (200, "Degraded"), unwell: ["analytics"]);
        await cluster["analytics"].StartAsync(Ct);
        await AssertBecomesAsync(client, "healthy again", all: 200, ready: (200, "Healthy"));

        await cluster.Primary.KillAsync(Ct);
        await AssertBecomesAsync(client, "primary down", all: 503, ready: (503, "Unhealthy"), unwell: ["primary"]);

        foreach (var replica in Replicas()) await replica.KillAsync(Ct);
        await AssertBecomesAsync(client, "all down", all: 503, ready: (503, "Unhealthy"), unwell: ["primary", "analytics", "background", "dr"]);

        foreach (var server in cluster.Servers) await server.StartAsync(Ct);
        await AssertBecomesAsync(client, "all back", all: 200, ready: (200, "Healthy"));
    }

    private IEnumerable<LocalServer> Replicas() => sample.Cluster.Servers.Where(server => server != sample.Cluster.Primary);

    private static async Task<JsonNode> AssertBecomesAsync(HttpClient client, string state, int all, (int Status, string Text) ready, string[]? unwell = null)
    {
        JsonNode report = null!;
        var answers = "";
        await SampleFixture.EventuallyAsync(async () =>
        {
            using var live = await client.GetAsync("/health/live", Ct);
            Assert.Equal((200, "Healthy"), ((int)live.StatusCode, await live.Content.ReadAsStringAsync(Ct)));
            using var health = await client.GetAsync("/api/health", Ct);
            using var readiness = await client.GetAsync("/health/ready", Ct);
            report = JsonNode.Parse(await health.Content.ReadAsStringAsync(Ct))!;
            var sick = report["databases"]!.AsObject().Where(host => !(bool)host.Value!["isHealthy"]!).Select(host => host.Key);
            answers = $"{(int)health.StatusCode} {report.ToJsonString()} {(int)readiness.StatusCode}";
            return (int)health.StatusCode == all && ((int)readiness.StatusCode, await readiness.Content.ReadAsStringAsync(Ct)) == ready
                && sick.Order().SequenceEqual((unwell ?? []).Order());
        }, () => $"expected {state}, got {answers}");

        Assert.Equal(["timestamp", "status", "databases", "metrics"], report.AsObject().Select(property => property.Key));
        Assert.Equal(all == 200 ? "healthy" : "unhealthy", (string?)report["status"]);
        Assert.Equal(["totalQueries", "failovers", "lastHealthCheck"], report["metrics"]!.AsObject().Select(property => property.Key));
        foreach (var (name, host) in report["databases"]!.AsObject())
        {
            Assert.Equal(["isHealthy", "latencyMs", "replicationLag", "role", "error"], host!.AsObject().Select(property => property.Key));
            // Only states: no server's error text, no address.
            Assert.Equal((bool)host["isHealthy"]!, host["error"] is null);
            if ((bool)host["isHealthy"]!) Assert.Equal(name == "primary" ? "primary" : "replica", (string?)host["role"]);
        }

        Assert.DoesNotContain("127.0.0.1", report.ToJsonString(), StringComparison.Ordinal);
        return report;
    }
}
