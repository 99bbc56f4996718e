using Npgsql;
using ReplicaRouter.Checks.Proxies;

namespace ReplicaRouter.Tool.Tests;

/// <summary>The doctor with a PgBouncer in transaction mode in front of a server.</summary>
[Collection(DevelopmentClusterTests.Name)]
public sealed class PgBouncerTests(DevelopmentClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pooler_in_transaction_mode_is_a_warning()
    {
        await using var pooler = await StartAsync();
        await DoctorTests.AssertOnlyAsync("pooler", "warning", "primary: a pooler in transaction mode answers", "No Reset On Close=true", fixture.Urls(("primary", Url(pooler, ""))));
    }

    [Fact]
    public async Task Prepared_statements_that_the_pooler_does_not_keep_are_a_failure()
    {
        await using var pooler = await StartAsync();
        var run = await ToolRun.Async(["doctor", "--json", .. fixture.Urls(("primary", Url(pooler, "?Max Auto Prepare=10")))], Ct);
        Assert.Equal(["pooler warning", "prepared-statements failure"], DoctorTests.Findings(run).Select(finding => $"{finding.Check} {finding.Verdict}"));
        // The next user of the server connection finds none of the doctor's statements on it.
        await using var next = new NpgsqlConnection(pooler.ConnectionString + ";Pooling=false");
        await next.OpenAsync(Ct);
        await using var count = new NpgsqlCommand("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%doctor%' AND statement NOT LIKE '%LIKE%'", next);
        Assert.Equal(0L, await count.ExecuteScalarAsync(Ct));
    }

    private Task<ProxyServer> StartAsync() => ProxyServer.StartAsync(new PgBouncer(fixture.Cluster.Primary), fixture.Cluster.Primary, Ct);

    private static string Url(ProxyServer pooler, string query)
    {
        var login = new NpgsqlConnectionStringBuilder(pooler.ConnectionString);
        return $"postgresql://{login.Username}:{login.Password}@{login.Host}:{login.Port}/{login.Database}{query}";
    }
}
