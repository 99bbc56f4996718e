using Microsoft.Extensions.Configuration;

namespace ReplicaRouter.Tests.Configuration;

public class RouterConfigurationTests
{
    private static RouterConfiguration From(params (string Key, string Value)[] variables)
    {
        var options = new DatabaseRouterOptions();
        OptionsLoader.Load(options, new ConfigurationBuilder()
            .AddInMemoryCollection(variables.Select(v => KeyValuePair.Create(v.Key.Replace("__", ":", StringComparison.Ordinal), (string?)v.Value))).Build());
        return RouterConfigurationBuilder.Build(options);
    }

    private static string FaultOf(params (string Key, string Value)[] variables)
    {
        var faults = Assert.Throws<RouterConfigurationException>(() => From(variables)).Faults;
        Assert.All(faults, fault => Assert.DoesNotContain("s3cret", fault, StringComparison.Ordinal));
        return string.Join('\n', faults);
    }

    private const string Primary = "postgresql://app:s3cret@p/app";

    [Fact]
    public void Variables_name_the_hosts_and_their_groups()
    {
        var configuration = From(("DATABASE_URL", Primary), ("DATABASE_READ_REPLICA_1_URL", "postgresql://r1/app"), ("DATABASE_READ_REPLICA_2_URL", "postgresql://r2/app"),
            ("DATABASE_READ_REPLICA_3_URL", "postgresql://r3/app"), ("DATABASE_READ_REPLICA_12_URL", "postgresql://r12/app"), ("DATABASE_READ_REPLICA_DR_URL", "postgresql://dr/app"));
        Assert.Equal(
            ["primary:read", "analytics:analytics,read", "background:background,read", "dr:dr", "replica-12:read", "replica-3:read"],
            configuration.Hosts.Select(h => $"{h.Name}:{string.Join(',', h.Groups)}").Order(StringComparer.Ordinal).OrderBy(h => !h.StartsWith("primary", StringComparison.Ordinal)));
        Assert.Equal("primary", configuration.Hosts[0].Name);
    }

    [Fact]
    public void A_multi_host_string_is_a_whole_topology() =>
        Assert.Equal(["primary@a:5432", "replica-3@b:5432", "replica-4@c:6000"],
            From(("DATABASE_URL", "Host=a,b,c:6000;Username=app;Target Session Attributes=any")).Hosts.Select(h => $"{h.Name}@{h.Endpoint}"));

    [Fact]
    public void A_variable_wins_over_the_section() => Assert.Equal("p:5432",
        From(("DATABASE_URL", Primary), ("ReplicaRouter__Hosts__primary__ConnectionString", "Host=other")).Hosts.Single().Endpoint);

    [Fact]
    public void The_section_holds_everything()
    {
        var configuration = From(("DATABASE_URL", Primary),
            ("ReplicaRouter__Hosts__reports__ConnectionString", "Host=reports"), ("ReplicaRouter__Hosts__reports__Groups__0", "Reports"),
            ("ReplicaRouter__Hosts__reports__Labels__0", "zone=a"),
            ("ReplicaRouter__Routes__Export__Groups__0", "reports"), ("ReplicaRouter__Routes__Export__Groups__1", "primary"),
            ("ReplicaRouter__Routes__Export__MaxLag", "00:01:00"), ("ReplicaRouter__Routes__Export__MaxPoolSize", "3"),
            ("ReplicaRouter__Health__Interval", "00:00:00.5"));
        var export = configuration.PlanOf("export");
        Assert.Equal(["reports", "primary"], export.Tiers.Select(t => t.Group));
        Assert.Equal((TimeSpan.FromMinutes(1), 3, true), (export.MaxLag, export.Pool.MaxPoolSize, export.IsReadOnly));
        Assert.Equal(["zone=a"], configuration.Hosts[1].Labels);
        Assert.Equal(TimeSpan.FromSeconds(0.5), configuration.Health.Interval);
    }

    [Theory]
    [InlineData("write", "primary", false)]
    [InlineData("transactional", "primary", false)]
    [InlineData("read", "read primary dr", true)]
    [InlineData("analytics", "analytics read primary dr", true)]
    [InlineData("background", "background read primary dr", true)]
    public void The_five_routes_have_their_groups(string route, string groups, bool isReadOnly)
    {
        var plan = From(("DATABASE_URL", Primary)).PlanOf(route);
        Assert.Equal((groups, isReadOnly), (string.Join(' ', plan.Tiers.Select(t => t.Group)), plan.IsReadOnly));
    }

    [Fact]
    public void Without_DATABASE_URL_it_is_asked_for() => Assert.StartsWith("DATABASE_URL is not set", FaultOf(), StringComparison.Ordinal);

    [Fact]
    public void All_faults_are_reported_at_once()
    {
        var faults = FaultOf(("DATABASE_URL", "postgresql://app:s3cret@p:0/app"), ("DATABASE_READ_REPLICA_1_URL", "nonsense"), ("ReplicaRouter__Routes__read__MaxPoolSize", "0"));
        Assert.Contains("DATABASE_URL has a port", faults, StringComparison.Ordinal);
        Assert.Contains("DATABASE_READ_REPLICA_1_URL is neither", faults, StringComparison.Ordinal);
        Assert.Contains("ReplicaRouter:Routes:read:MaxPoolSize is 0", faults, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_variables_that_name_one_server_are_refused() =>
        Assert.Contains("DATABASE_URL and DATABASE_READ_REPLICA_1_URL name the same server, p:5432",
            FaultOf(("DATABASE_URL", Primary), ("DATABASE_READ_REPLICA_1_URL", "Host=P;Username=other")), StringComparison.Ordinal);

    [Theory]
    [InlineData("ReplicaRouter__MaxLag", "-1", "ReplicaRouter:MaxLag is -1.00:00:00")]
    [InlineData("ReplicaRouter__MaxLag", "-00:00:01", "ReplicaRouter:MaxLag is -00:00:01")]
    [InlineData("ReplicaRouter__MaxLag", "soon", "ReplicaRouter:MaxLag")]
    [InlineData("ReplicaRouter__MaxLag", "00:00:01", "can't prove less than 00:00:02.5")]
    [InlineData("ReplicaRouter__Routes__read__MaxLag", "-00:00:01", "ReplicaRouter:Routes:read:MaxLag")]
    [InlineData("ReplicaRouter__Routes__read__Groups__0", "fast", "names the group 'fast', which no host serves")]
    [InlineData("ReplicaRouter__Routes__read__MinPoolSize", "-1", "MinPoolSize is -1")]
    [InlineData("ReplicaRouter__Routes__read__ConnectTimeout", "00:00:00", "ConnectTimeout")]
    [InlineData("ReplicaRouter__Health__Interval", "00:00:00", "Health:Interval is 00:00:00")]
    [InlineData("ReplicaRouter__Health__Timeout", "01:00:00", "Health:Timeout is 01:00:00")]
    [InlineData("ReplicaRouter__Hosts__x__ConnectionString", "", "ReplicaRouter:Hosts:x:ConnectionString is empty")]
    [InlineData("ReplicaRouter__Hosts__primary__Groups__0", "primary", "the group 'primary' is whichever host is observed")]
    [InlineData("DATABASE_READ_REPLICA_X_URL", "postgresql://x/app", "DATABASE_READ_REPLICA_X_URL")]
    public void A_bad_value_is_one_clear_fault(string key, string value, string fault) =>
        Assert.Contains(fault, FaultOf(("DATABASE_URL", Primary), (key, value)), StringComparison.Ordinal);

    [Fact]
    public void An_unknown_route_names_those_that_exist()
    {
        var error = Assert.Throws<ArgumentException>(() => From(("DATABASE_URL", Primary)).PlanOf("serach"));
        Assert.Contains("no route 'serach'", error.Message, StringComparison.Ordinal);
        Assert.Contains("analytics", error.Message, StringComparison.Ordinal);
    }
}
