using System.Text.Json;
namespace ReplicaRouter.AspNetCore.Tests;

public sealed class HealthReportTests
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void The_report_has_the_documented_shape()
    {
        var report = Report(
            new Dictionary<string, HostHealth>
            {
                ["primary"] = Host(HostRole.Primary, isHealthy: true, lagMs: null),
                ["analytics"] = Host(HostRole.Replica, isHealthy: true, lagMs: 12.5),
            },
            showsDetails: true);

        Assert.Equal(
            """
            {"timestamp":"2026-01-02T03:04:05+00:00","status":"healthy","databases":{
            "primary":{"isHealthy":true,"latencyMs":1.5,"replicationLag":null,"role":"primary","error":null},
            "analytics":{"isHealthy":true,"latencyMs":1.5,"replicationLag":12.5,"role":"replica","error":null}},
            "metrics":{"totalQueries":5,"failovers":1,"lastHealthCheck":"2026-01-02T03:04:05+00:00"}}
            """.ReplaceLineEndings(""),
            JsonSerializer.Serialize(report, HealthReportContext.Default.HealthReport));
    }

    [Fact]
    public void One_unhealthy_host_makes_the_report_unhealthy()
    {
        var hosts = new Dictionary<string, HostHealth>
        {
            ["primary"] = Host(HostRole.Primary, isHealthy: true, lagMs: null),
            ["analytics"] = Host(HostRole.Unknown, isHealthy: false, lagMs: null),
        };
        var report = Report(hosts, showsDetails: true);
        Assert.Equal("unhealthy", report.Status);
        Assert.Equal("unknown", report.Databases["analytics"].Role);
        Assert.Equal("refuses connections", report.Databases["analytics"].Error);
    }

    [Fact]
    public void Without_details_the_error_is_only_the_state()
    {
        var hosts = new Dictionary<string, HostHealth> { ["analytics"] = Host(HostRole.Unknown, isHealthy: false, lagMs: null) };
        Assert.Equal("Down", Report(hosts, showsDetails: false).Databases["analytics"].Error);
    }

    [Fact]
    public void Further_routers_are_listed_by_name_and_affect_the_status()
    {
        var well = RouterReport.From(new Dictionary<string, HostHealth> { ["primary"] = Host(HostRole.Primary, isHealthy: true, lagMs: null) }, Metrics(), showsDetails: false);
        var unwell = RouterReport.From(new Dictionary<string, HostHealth> { ["primary"] = Host(HostRole.Unknown, isHealthy: false, lagMs: null) }, Metrics(), showsDetails: false);
        var report = HealthReport.Of(well, new Dictionary<string, RouterReport> { ["billing"] = unwell }, s_now);

        Assert.False(report.IsHealthy);
        Assert.Equal(
            """
            {"timestamp":"2026-01-02T03:04:05+00:00","status":"unhealthy","databases":{
            "primary":{"isHealthy":true,"latencyMs":1.5,"replicationLag":null,"role":"primary","error":null}},
            "metrics":{"totalQueries":5,"failovers":1,"lastHealthCheck":"2026-01-02T03:04:05+00:00"},"routers":{"billing":{"status":"unhealthy","databases":{
            "primary":{"isHealthy":false,"latencyMs":1.5,"replicationLag":null,"role":"unknown","error":"Down"}},
            "metrics":{"totalQueries":5,"failovers":1,"lastHealthCheck":"2026-01-02T03:04:05+00:00"}}}}
            """.ReplaceLineEndings(""),
            JsonSerializer.Serialize(report, HealthReportContext.Default.HealthReport));
    }

    private static HealthReport Report(IReadOnlyDictionary<string, HostHealth> hosts, bool showsDetails) =>
        HealthReport.Of(RouterReport.From(hosts, Metrics(), showsDetails), new Dictionary<string, RouterReport>(), s_now);

    private static HostHealth Host(HostRole role, bool isHealthy, double? lagMs) => new()
    {
        IsHealthy = isHealthy,
        Latency = TimeSpan.FromMilliseconds(1.5),
        ReplicationLag = lagMs is { } lag ? TimeSpan.FromMilliseconds(lag) : null,
        LagBytes = null,
        Error = isHealthy ? null : "refuses connections",
        Role = role,
        State = isHealthy ? HostState.Healthy : HostState.Down,
        IsDrained = false,
        Timeline = 1,
        ConnectionsInUse = 0,
        Age = TimeSpan.Zero,
    };

    private static DatabaseRouterMetrics Metrics() => new()
    {
        QueriesRouted = new Dictionary<DatabaseOperation, long> { [DatabaseOperation.Read] = 3, [DatabaseOperation.Write] = 2 },
        QueriesByHost = new Dictionary<string, IReadOnlyDictionary<string, long>> { ["primary"] = new Dictionary<string, long> { ["write"] = 2, ["search"] = 3 } },
        Failovers = 1,
        Fallbacks = [],
        AverageLatency = new Dictionary<string, TimeSpan>(),
        LastHealthCheck = s_now,
    };
}
