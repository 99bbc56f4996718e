using ReplicaRouter.Tool.Doctor;
using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Tests;

/// <summary>Findings that would take several machines or other servers to cause.</summary>
public sealed class CheckTests
{
    [Fact]
    public void The_sample_passes_all_checks() =>
        Assert.All(Checkup.Run(SampleFacts.Cluster(parameters: "sslmode=verify-full")), result => Assert.Equal(Doctor.Verdict.Ok, result.Verdict));

    [Fact]
    public void For_unreachable_servers_only_reachability_and_TLS_are_checked()
    {
        var cluster = SampleFacts.Cluster();
        var results = Checkup.Run(cluster with { Hosts = [.. cluster.Hosts.Select(host => host with { Server = null, Failure = new HostFailure(FailureKind.Unreachable, "no answer") })] });
        Assert.Equal(["reachable", "tls"], results.Select(result => result.Name));
    }

    [Fact]
    public void Names_of_checks_are_unique() => Assert.Distinct(Checkup.Run(SampleFacts.Cluster()).Select(result => result.Name));

    [Theory]
    [InlineData("disable", "failure")]
    [InlineData("allow", "warning")]
    [InlineData("prefer", "warning")]
    [InlineData("require", "warning")]
    public void TLS_without_verification_is_reported(string mode, string verdict) =>
        AssertOnly(SampleFacts.Cluster(parameters: $"sslmode={mode}"), "tls", verdict, "db-1:5432", "sslmode=verify-full");

    [Fact]
    public void Another_minor_version_is_a_warning() => AssertOnly(
        Spoilt((name, server) => name == "analytics" ? server.With("server_version_num", "170001") : server), "versions", "warning", "PostgreSQL 17.1 (analytics), PostgreSQL 17.2 (primary)", "standbys first");

    [Fact]
    public void Another_major_version_is_a_failure() => AssertOnly(
        Spoilt((name, server) => name == "analytics" ? server.With("server_version_num", "160004") : server), "versions", "failure", "PostgreSQL 16.4 (analytics)", "another major version");

    [Fact]
    public void Clocks_that_differ_are_a_warning() => AssertOnly(
        Spoilt((name, server) => name == "analytics" ? server with { ClockOffset = TimeSpan.FromSeconds(-4) } : server), "clocks", "warning", "analytics and primary are 4.0 s apart", "NTP");

    [Fact]
    public void A_clock_difference_within_the_error_is_no_warning() => Assert.All(
        Checkup.Run(Spoilt((name, server) => name == "analytics" ? server with { ClockOffset = TimeSpan.FromSeconds(2), ClockError = TimeSpan.FromSeconds(1.5) } : server)),
        result => Assert.Equal(Doctor.Verdict.Ok, result.Verdict));

    [Fact]
    public void A_standby_that_allows_less_than_its_primary_is_a_failure() => AssertOnly(
        Spoilt((name, server) => name == "analytics" ? server.With("max_worker_processes", "4") : server), "standby-parameters", "failure",
        "analytics: max_worker_processes is 4, the primary's is 8", "ALTER SYSTEM SET max_worker_processes = 8");

    [Fact]
    public void A_server_that_is_nearly_full_is_a_failure() => AssertOnly(
        Spoilt((name, server) => name == "primary" ? server with { Connections = 95 } : server), "connection-budget", "failure", "primary: 95 of 97 connections are in use", "pg_stat_activity");

    [Fact]
    public void A_replica_that_could_not_take_over_from_the_primary_is_a_warning()
    {
        // Two instances: 104 connections to a replica, 184 to the primary.
        var cluster = Spoilt((name, server) => server.With("max_connections", name == "primary" ? "200" : "150")) with { Instances = 2 };
        var result = Assert.Single(Checkup.Run(cluster), result => result.Name == "connection-budget");
        var problem = Assert.Single(result.Problems);
        Assert.Equal(Doctor.Verdict.Warning, problem.Verdict);
        Assert.Contains("2 instances can open 184 connections to analytics; max_connections is 150, 147 without the reserved ones, once it is the primary", problem.Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_slot_whose_WAL_is_lost_is_a_failure() => AssertOnly(
        Spoilt((name, server) => name == "primary" ? server with { Slots = [new SlotFacts("old", IsActive: false, HeldBytes: null, WalStatus: "lost")] } : server),
        "replication-slots", "failure", "the WAL of slot 'old' is lost", "pg_basebackup");

    [Fact]
    public void Two_servers_that_take_writes_are_a_failure() => AssertOnly(
        Spoilt((name, server) => server with { Answer = server.Answer with { IsInRecovery = false } }), "roles", "failure", "primary and analytics take writes", "rewind none before that. To keep one that is Fenced, run");

    [Fact]
    public void For_two_servers_that_take_writes_the_fix_names_the_fenced_one()
    {
        var cluster = Spoilt((name, server) => server with { Answer = server.Answer with { IsInRecovery = false } });
        AssertOnly(cluster with { Hosts = [.. cluster.Hosts.Select(host => host with { Health = host.Health with { State = host.Name == "primary" ? HostState.Fenced : HostState.Healthy } })] },
            "roles", "failure", "primary and analytics take writes", "To keep primary, run 'replica-router accept primary --app URL'");
    }

    [Theory]
    [InlineData(FailureKind.Unreachable, "Start the server at db-2:5432")]
    [InlineData(FailureKind.Misconfigured, "Correct DATABASE_READ_REPLICA_1_URL, or what the server allows")]
    internal void Starting_the_server_is_the_fix_only_where_none_answers(FailureKind kind, string fix)
    {
        var cluster = SampleFacts.Cluster(parameters: "sslmode=verify-full");
        AssertOnly(cluster with { Hosts = [.. cluster.Hosts.Select(host => host.Name == "analytics" ? host with { Server = null, Failure = new HostFailure(kind, "why") } : host)] },
            "reachable", "failure", "analytics: why", fix);
    }

    [Theory]
    [Trait("Failure", "C2")]
    [InlineData("", null, "warning", "sources can name any host", "ReplicaRouter:Discovery:AllowedHosts")]
    [InlineData("db-1", null, "warning", "dns names 1 hosts that are not allowed, such as 10.9.9.9:5432", "ReplicaRouter:Discovery:AllowedHosts")]
    [InlineData("db-1", "no answer within 00:00:05", "failure", "dns: no answer within 00:00:05", "source's settings")]
    public void Discovery_sources_are_checked(string allowed, string? failure, string verdict, string evidence, string fix)
    {
        var options = new DatabaseRouterOptions();
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "postgresql://app:secret@localhost/shop", Source = "DATABASE_URL" };
        options.Discovery.Dns.Name = "replicas.internal";
        if (allowed.Length > 0) options.Discovery.AllowedHosts.Add(allowed);
        var cluster = SampleFacts.Cluster(parameters: "sslmode=verify-full") with
        {
            Configuration = RouterConfigurationBuilder.Build(options),
            Sources = [new SourceReport("dns", 2, allowed.Length > 0 && failure is null ? ["10.9.9.9:5432"] : [], failure)],
        };
        AssertOnly(cluster, "discovery", verdict, evidence, fix);
    }

    private static ClusterFacts Spoilt(Func<string, ServerFacts, ServerFacts> change) => SampleFacts.Cluster(change, "sslmode=verify-full");

    private static void AssertOnly(ClusterFacts cluster, string check, string verdict, string evidence, string fix)
    {
        var result = Assert.Single(Checkup.Run(cluster), result => result.Verdict != Doctor.Verdict.Ok);
        Assert.Equal((check, verdict), (result.Name, result.Verdict.ToString().ToLowerInvariant()));
        Assert.Contains(result.Problems, problem => problem.Evidence.Contains(evidence, StringComparison.Ordinal) && problem.Fix.Contains(fix, StringComparison.Ordinal));
    }
}
