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
        var faults = Assert.Throws<DatabaseRouterConfigurationException>(() => From(variables)).Faults;
        Assert.All(faults, fault => Assert.DoesNotContain("s3cret", fault, StringComparison.Ordinal));
        return string.Join('\n', faults);
    }

    private const string Primary = "postgresql://app:s3cret@p/app";

    [Fact]
    public void Variables_define_the_hosts_and_their_groups()
    {
        var configuration = From(("DATABASE_URL", Primary), ("DATABASE_READ_REPLICA_1_URL", "postgresql://r1/app"), ("DATABASE_READ_REPLICA_2_URL", "postgresql://r2/app"),
            ("DATABASE_READ_REPLICA_3_URL", "postgresql://r3/app"), ("DATABASE_READ_REPLICA_12_URL", "postgresql://r12/app"), ("DATABASE_READ_REPLICA_DR_URL", "postgresql://dr/app"));
        Assert.Equal(
            ["primary:read", "analytics:analytics,read", "background:background,read", "dr:dr", "replica-12:read", "replica-3:read"],
            configuration.Hosts.Select(h => $"{h.Name}:{string.Join(',', h.Groups)}").Order(StringComparer.Ordinal).OrderBy(h => !h.StartsWith("primary", StringComparison.Ordinal)));
        Assert.Equal("primary", configuration.Hosts[0].Name);
    }

    [Fact]
    public void A_multi_host_string_defines_the_whole_topology() =>
        Assert.Equal(["primary@a:5432", "replica-3@b:5432", "replica-4@c:6000"],
            From(("DATABASE_URL", "Host=a,b,c:6000;Username=app;Target Session Attributes=any")).Hosts.Select(h => $"{h.Name}@{h.Endpoint}"));

    [Fact]
    public void A_variable_wins_over_the_section() => Assert.Equal("p:5432",
        From(("DATABASE_URL", Primary), ("ReplicaRouter__Hosts__primary__ConnectionString", "Host=other")).Hosts.Single().Endpoint);

    [Fact]
    public void The_section_can_hold_every_setting()
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
    public void The_five_built_in_routes_have_their_default_groups(string route, string groups, bool isReadOnly)
    {
        var plan = From(("DATABASE_URL", Primary)).PlanOf(route);
        Assert.Equal((groups, isReadOnly), (string.Join(' ', plan.Tiers.Select(t => t.Group)), plan.IsReadOnly));
    }

    [Fact]
    public void A_missing_DATABASE_URL_is_reported() => Assert.StartsWith("DATABASE_URL is not set", FaultOf(), StringComparison.Ordinal);

    [Fact]
    public void All_faults_are_reported_at_once()
    {
        var faults = FaultOf(("DATABASE_URL", "postgresql://app:s3cret@p:0/app"), ("DATABASE_READ_REPLICA_1_URL", "nonsense"), ("ReplicaRouter__Routes__read__MaxPoolSize", "0"));
        Assert.Contains("DATABASE_URL has a port", faults, StringComparison.Ordinal);
        Assert.Contains("DATABASE_READ_REPLICA_1_URL is neither", faults, StringComparison.Ordinal);
        Assert.Contains("ReplicaRouter:Routes:read:MaxPoolSize is 0", faults, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_types_unknown_keys_and_values_out_of_range_are_all_reported_at_once()
    {
        var faults = FaultOf(("ReplicaRouter__MaxLag", "5"), ("ReplicaRouter__Health__Interval", "soon"), ("ReplicaRouter__Rutes__x", "1"), ("DATABASE_READ_REPLICA_X_URL", "s3cret"),
            ("ReplicaRouter__PrimaryProtection__MaxConcurrentReads", "0"));
        Assert.Equal(6, faults.Split('\n').Length);
        foreach (var key in (string[])["MaxLag", "Health:Interval", "Rutes", "DATABASE_READ_REPLICA_X_URL", "MaxConcurrentReads", "DATABASE_URL"]) Assert.Contains(key, faults, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_value_keeps_the_default() =>
        Assert.Equal(TimeSpan.FromSeconds(5), From(("DATABASE_URL", Primary), ("ReplicaRouter__MaxLag", ""), ("ReplicaRouter__Routes__read__MaxPoolSize", " ")).Routes[0].MaxLag);

    [Fact]
    public void Every_option_can_be_configured()
    {
        var keys = KeysOf(typeof(DatabaseRouterOptions), DatabaseRouterOptions.SectionName).ToList();
        Assert.Contains("ReplicaRouter:Discovery:Patroni:Urls:0", keys);
        var options = new DatabaseRouterOptions();
        OptionsLoader.Load(options, new ConfigurationBuilder().AddInMemoryCollection(keys.Select(key => KeyValuePair.Create(key, (string?)"-"))).Build());
        Assert.DoesNotContain(options.Faults, fault => fault.Contains("not known", StringComparison.Ordinal) || fault.Contains("section", StringComparison.Ordinal));
    }

    /// <summary>Returns a key for each property that configuration can set.</summary>
    private static IEnumerable<string> KeysOf(Type type, string prefix) => type.GetProperties().Where(property => !typeof(Delegate).IsAssignableFrom(property.PropertyType) && property.PropertyType != typeof(TimeProvider)).SelectMany(property =>
    {
        var (key, kind) = ($"{prefix}:{property.Name}", property.PropertyType);
        return kind == typeof(IList<string>) ? [$"{key}:0"]
            : kind.IsGenericType && kind.GetGenericTypeDefinition() == typeof(IDictionary<,>) ? KeysOf(kind.GetGenericArguments()[1], $"{key}:x")
            : property.CanWrite ? [key]
            : KeysOf(kind, key);
    });

    [Fact]
    [Trait("Failure", "C12")]
    public void ToString_of_configuration_objects_never_contains_the_password()
    {
        var configuration = From(("DATABASE_URL", Primary));
        var host = configuration.Hosts[0];
        Assert.Equal("primary (p:5432)", host.ToString());
        foreach (var text in (string?[])[configuration.ToString(), new HostSnapshot { Configuration = host }.ToString(), new FailedHost(host, new TimeoutException(), 0).ToString()])
        {
            Assert.DoesNotContain("s3cret", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Two_variables_that_name_the_same_server_are_rejected() =>
        Assert.Contains("DATABASE_URL and DATABASE_READ_REPLICA_1_URL name the same server.",
            FaultOf(("DATABASE_URL", Primary), ("DATABASE_READ_REPLICA_1_URL", "Host=P;Username=other")), StringComparison.Ordinal);

    [Fact]
    public void A_variable_that_names_a_server_twice_is_one_fault()
    {
        Assert.Equal("DATABASE_URL names the same server twice. Name each server once.", FaultOf(("DATABASE_URL", "postgresql://app:s3cret@p,p/app")));
        Assert.Equal("DATABASE_URL and DATABASE_READ_REPLICA_1_URL name the same server. Name each server once.",
            FaultOf(("DATABASE_URL", "postgresql://app:s3cret@a,b/app"), ("DATABASE_READ_REPLICA_1_URL", "postgresql://app:s3cret@b,a/app")));
    }

    [Theory]
    [Trait("Failure", "C12")]
    [InlineData("sslrootcert=/no/such/s3cret.pem", "DATABASE_URL: Root Certificate (sslrootcert) names a file that does not exist. Correct the setting, or create the file before the start.")]
    [InlineData("sslrootcert=/no/s3cret&sslcert=/no/s3cret&sslkey=/no/s3cret",
        "DATABASE_URL: Root Certificate (sslrootcert), SSL Certificate (sslcert) and SSL Key (sslkey) name files that do not exist. Correct the settings, or create the files before the start.")]
    public void A_missing_file_is_one_fault_for_any_number_of_hosts(string query, string fault) =>
        Assert.Equal(fault, FaultOf(("DATABASE_URL", $"postgresql://app:s3cret@a,b,c/app?sslmode=verify-full&{query}")));

    [Theory]
    [InlineData("ReplicaRouter__MaxLag", "5", "ReplicaRouter:MaxLag is not a valid time. Write hh:mm:ss, such as 00:00:05 for 5 seconds")]
    [InlineData("ReplicaRouter__DrainTimeout", "24:00:00", "ReplicaRouter:DrainTimeout is not a valid time. Write hh:mm:ss, such as 00:00:05 for 5 seconds")]
    [InlineData("ReplicaRouter__MaxLag", "5:00", "ReplicaRouter:MaxLag is not a valid time")]
    [InlineData("ReplicaRouter__MaxLag", "-1", "ReplicaRouter:MaxLag is not a valid time")]
    [InlineData("ReplicaRouter__MaxLag", "s3cret", "ReplicaRouter:MaxLag is not a valid time")]
    [InlineData("ReplicaRouter__MaxLag__Value", "s3cret", "ReplicaRouter:MaxLag is a section, but takes one value.")]
    [InlineData("ReplicaRouter__Routes__read__MaxPoolSize", "s3cret", "ReplicaRouter:Routes:read:MaxPoolSize is not a whole number")]
    [InlineData("ReplicaRouter__Routes__read__AllowHedging", "s3cret", "ReplicaRouter:Routes:read:AllowHedging is neither true nor false")]
    [InlineData("ReplicaRouter__Routes__read__Consistency", "s3cret", "ReplicaRouter:Routes:read:Consistency is not one of the allowed names. Write one of Strong, Session")]
    [InlineData("ReplicaRouter__Routes__read__Consistency", "1", "ReplicaRouter:Routes:read:Consistency is not one of the allowed names")]
    [InlineData("ReplicaRouter__Routes__read__Groups", "s3cret", "ReplicaRouter:Routes:read:Groups has a value, but is a list. Write its first entry as ReplicaRouter:Routes:read:Groups:0.")]
    [InlineData("ReplicaRouter__Health", "s3cret", "ReplicaRouter:Health has a value, but is a section")]
    [InlineData("ReplicaRouter__Hosts__primary", "postgresql://app:s3cret@p/app", "ReplicaRouter:Hosts:primary has a value, but is a section")]
    [InlineData("ReplicaRouter__Hosts", "s3cret", "ReplicaRouter:Hosts has a value, but holds hosts by name")]
    [InlineData("ReplicaRouter__Hosts__a@s3cret__Weight", "1", "ReplicaRouter:Hosts holds a host with an invalid name. Write 1 to 63 letters")]
    [InlineData("ReplicaRouter__Hosts__x__Groups__0", "app:s3cret@x", "a group has an invalid name")]
    [InlineData("ReplicaRouter__Rutes__read__MaxLag", "s3cret", "ReplicaRouter:Rutes is not known. Did you mean 'Routes'?")]
    [InlineData("ReplicaRouter__Routes__read__Maxlags", "s3cret", "ReplicaRouter:Routes:read:Maxlags is not known. Did you mean 'MaxLag'?")]
    [InlineData("ReplicaRouter__Health__Period", "s3cret", "ReplicaRouter:Health:Period is not known. Known keys: Interval, Timeout.")]
    [InlineData("ReplicaRouter__Health__app@s3cret", "1", "ReplicaRouter:Health holds a key that is not known.")]
    [InlineData("ReplicaRouter__TokenSecret", "s3cret", "ReplicaRouter:TokenSecret is too short")]
    [InlineData("ReplicaRouter__Discovery__Dns__Nameserver", "s3cret", "ReplicaRouter:Discovery:Dns:Nameserver is not an address")]
    [InlineData("ReplicaRouter__Discovery__Dns__Name", "app:s3cret@x", "ReplicaRouter:Discovery:Dns:Name is not a DNS name")]
    [InlineData("ReplicaRouter__Discovery__Aurora__HostPattern", "s3cret", "ReplicaRouter:Discovery:Aurora:HostPattern is not an address with one question mark")]
    [InlineData("ReplicaRouter__MaxLag", "-00:00:01", "ReplicaRouter:MaxLag is -00:00:01")]
    [InlineData("ReplicaRouter__MaxLag", "soon", "ReplicaRouter:MaxLag")]
    [InlineData("ReplicaRouter__MaxLag", "00:00:01", "can't prove less than 00:00:02.5")]
    [InlineData("ReplicaRouter__Routes__read__MaxLag", "-00:00:01", "ReplicaRouter:Routes:read:MaxLag")]
    [InlineData("ReplicaRouter__Routes__read__Groups__0", "s3cret", "ReplicaRouter:Routes:read:Groups:0 names a group that no host serves. Name one that a host serves, or one of")]
    [InlineData("ReplicaRouter__Routes__read__Groups__0", "raed", "Did you mean 'read'?")]
    [InlineData("ReplicaRouter__Routes__read__MinPoolSize", "-1", "MinPoolSize is -1")]
    [InlineData("ReplicaRouter__Routes__read__ConnectTimeout", "00:00:00", "ConnectTimeout")]
    [InlineData("ReplicaRouter__Health__Interval", "00:00:00", "Health:Interval is 00:00:00")]
    [InlineData("ReplicaRouter__Health__Timeout", "01:00:00", "Health:Timeout is 01:00:00")]
    [InlineData("ReplicaRouter__Hosts__x__ConnectionString", "", "ReplicaRouter:Hosts:x:ConnectionString is empty")]
    [InlineData("ReplicaRouter__Hosts__primary__Groups__0", "primary", "the group 'primary' always means the observed primary")]
    [InlineData("DATABASE_READ_REPLICA_X_URL", "postgresql://x/app", "DATABASE_READ_REPLICA_X_URL")]
    public void An_invalid_value_is_one_clear_fault(string key, string value, string fault) =>
        Assert.Contains(fault, FaultOf(("DATABASE_URL", Primary), (key, value)), StringComparison.Ordinal);

    [Fact]
    public void The_error_for_an_unknown_route_lists_the_existing_ones()
    {
        var error = Assert.Throws<ArgumentException>(() => From(("DATABASE_URL", Primary)).PlanOf("serach"));
        Assert.Contains("no route 'serach'", error.Message, StringComparison.Ordinal);
        Assert.Contains("analytics", error.Message, StringComparison.Ordinal);
    }
}
