using System.Data.Common;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Hosting;

public sealed class AddReplicaRouterTests
{
    private const string Unreachable = "postgresql://app:secret@10.255.255.1/app";

    private static IHost HostOf(Action<HostApplicationBuilder> add, params (string Key, string Value)[] configuration)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(configuration.Select(entry => KeyValuePair.Create(entry.Key, (string?)entry.Value)));
        add(builder);
        return builder.Build();
    }

    private static string EndpointOf(DatabaseRouter router) => router.Engine.Topology.Hosts.Single(host => host.Name == "primary").Configuration.Endpoint;

    [Fact]
    public void Configure_and_PostConfigure_apply_to_the_options()
    {
        using var host = HostOf(
            builder =>
            {
                builder.Services.Configure<DatabaseRouterOptions>(options => options.MaxLag = TimeSpan.FromSeconds(7));
                builder.AddReplicaRouter(options => options.ForcedFailoverDuration = TimeSpan.FromSeconds(8));
                builder.Services.PostConfigure<DatabaseRouterOptions>(options => options.Hosts["analytics"] = new DatabaseHostOptions { ConnectionString = "postgresql://app:secret@10.255.255.2/app" });
            },
            ("DATABASE_URL", Unreachable), ("ReplicaRouter:DrainTimeout", "00:00:09"));
        var options = host.Services.GetRequiredService<IOptions<DatabaseRouterOptions>>().Value;
        Assert.Equal((7, 8, 9), (options.MaxLag.TotalSeconds, options.ForcedFailoverDuration.TotalSeconds, options.DrainTimeout.TotalSeconds));
        using var router = host.Services.GetRequiredService<DatabaseRouter>();
        Assert.Equal(["primary", "analytics"], router.GetHealthStatus().Keys);
        Assert.Equal(TimeSpan.FromSeconds(7), router.Engine.Topology.Settings.MaxLag);
    }

    [Fact]
    public async Task The_applications_own_validation_fails_its_start()
    {
        using var host = HostOf(
            builder =>
            {
                builder.AddReplicaRouter();
                builder.Services.AddOptions<DatabaseRouterOptions>().Validate(options => options.TokenSecret is not null, "Tokens must be signed.").ValidateOnStart();
            },
            ("DATABASE_URL", Unreachable));
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains("Tokens must be signed.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_key_is_a_fault_that_suggests_the_nearest_name()
    {
        using var host = HostOf(builder => builder.AddReplicaRouter(), ("DATABASE_URL", Unreachable), ("ReplicaRouter:MaxLagg", "00:00:09"));
        var error = Assert.Throws<DatabaseRouterConfigurationException>(host.Services.GetRequiredService<DatabaseRouter>);
        Assert.Contains("ReplicaRouter:MaxLagg is not known. Did you mean 'MaxLag'?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_clock_comes_from_the_options_or_else_from_the_application()
    {
        var (own, applications) = (new FakeTimeProvider(), new FakeTimeProvider());
        using var first = new ServiceCollection().AddSingleton<TimeProvider>(applications).AddReplicaRouter(Configure).BuildServiceProvider();
        Assert.Equal(applications.GetTimestamp(), first.GetRequiredService<DatabaseRouter>().Engine.Timestamp);
        applications.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(applications.GetTimestamp(), first.GetRequiredService<DatabaseRouter>().Engine.Timestamp);

        using var second = new ServiceCollection().AddSingleton<TimeProvider>(applications).AddReplicaRouter(options =>
        {
            Configure(options);
            options.TimeProvider = own;
        }).BuildServiceProvider();
        Assert.Equal(own.GetTimestamp(), second.GetRequiredService<DatabaseRouter>().Engine.Timestamp);
    }

    [Fact]
    public void Named_routers_have_their_own_sections_variables_and_connection_strings()
    {
        using var host = HostOf(
            builder =>
            {
                builder.AddReplicaRouter();
                builder.AddReplicaRouter("billing");
                builder.AddReplicaRouter("audit-log", options => options.MaxLag = TimeSpan.FromSeconds(7));
                builder.AddReplicaRouter("archive");
            },
            ("DATABASE_URL", "postgresql://app@shop/app"), ("BILLING_DATABASE_URL", "postgresql://app@billing/app"), ("BILLING_DATABASE_READ_REPLICA_1_URL", "postgresql://app@reports/app"),
            ("ReplicaRouters:billing:MaxLag", "00:00:08"), ("AUDIT_LOG_DATABASE_URL", "postgresql://app@audit/app"), ("ConnectionStrings:archive", "Host=archive;Username=app"),
            ("ConnectionStrings:billing", "Host=elsewhere"));
        using var shop = host.Services.GetRequiredService<DatabaseRouter>();
        using var billing = host.Services.GetRequiredKeyedService<DatabaseRouter>("billing");
        using var audit = host.Services.GetRequiredKeyedService<DatabaseRouter>("audit-log");
        using var archive = host.Services.GetRequiredKeyedService<DatabaseRouter>("archive");
        Assert.Equal(["shop:5432", "billing:5432", "audit:5432", "archive:5432"], new[] { shop, billing, audit, archive }.Select(EndpointOf));
        Assert.Equal(["primary", "analytics"], billing.GetHealthStatus().Keys);
        Assert.Equal([5, 8, 7, 5], new[] { shop, billing, audit, archive }.Select(router => router.Engine.Topology.Settings.MaxLag.TotalSeconds));
    }

    [Fact]
    public void Data_sources_of_a_named_router_have_string_keys()
    {
        using var host = HostOf(builder =>
        {
            builder.AddReplicaRouter();
            builder.AddReplicaRouter("billing");
        }, ("DATABASE_URL", Unreachable), ("BILLING_DATABASE_URL", Unreachable));
        var services = host.Services;
        Assert.Equal("Application Name=write", services.GetRequiredKeyedService<RoutedDataSource>("billing").ConnectionString);
        foreach (var operation in (string[])["write", "transactional", "read", "analytics", "background"])
        {
            Assert.Equal($"Application Name={operation}", services.GetRequiredKeyedService<RoutedDataSource>($"billing:{operation}").ConnectionString);
            Assert.Equal($"Application Name={operation}", services.GetRequiredKeyedService<DbDataSource>($"billing:{operation}").ConnectionString);
        }

        Assert.Equal("Application Name=read", services.GetRequiredKeyedService<RoutedDataSource>(DatabaseOperation.Read).ConnectionString);
    }

    [Fact]
    public void Faults_of_a_named_router_name_its_section_and_variables()
    {
        using var host = HostOf(builder => builder.AddReplicaRouter("billing"), ("BILLING_DATABASE_READ_REPLICA_X_URL", Unreachable), ("ReplicaRouters:billing:Health:Interval", "00:05:00"));
        var error = Assert.Throws<DatabaseRouterConfigurationException>(() => host.Services.GetRequiredKeyedService<DatabaseRouter>("billing"));
        Assert.Contains(error.Faults, fault => fault.StartsWith("BILLING_DATABASE_READ_REPLICA_X_URL does not name a replica. Write BILLING_DATABASE_READ_REPLICA_<number>_URL", StringComparison.Ordinal));
        Assert.Contains(error.Faults, fault => fault.StartsWith("ReplicaRouters:billing:Health:Interval is ", StringComparison.Ordinal));
        Assert.Contains(error.Faults, fault => fault.StartsWith("BILLING_DATABASE_URL is not set.", StringComparison.Ordinal) && fault.Contains("ReplicaRouters:billing:Hosts:primary:ConnectionString", StringComparison.Ordinal));
    }

    [Fact]
    public void Adding_the_same_router_twice_is_an_error()
    {
        var services = new ServiceCollection();
        services.AddReplicaRouter(Configure).AddReplicaRouter("billing", Configure);
        Assert.StartsWith("AddReplicaRouter was called twice.", Assert.Throws<InvalidOperationException>(() => services.AddReplicaRouter(Configure)).Message, StringComparison.Ordinal);
        Assert.StartsWith("AddReplicaRouter(\"billing\") was called twice.", Assert.Throws<InvalidOperationException>(() => services.AddReplicaRouter("billing", Configure)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Audit-log")]
    [InlineData("audit_log")]
    public void Two_names_with_the_same_variables_are_an_error(string name)
    {
        var services = new ServiceCollection().AddReplicaRouter("audit-log", Configure);
        var error = Assert.Throws<InvalidOperationException>(() => services.AddReplicaRouter(name, Configure));
        Assert.StartsWith($"The routers \"audit-log\" and \"{name}\" have the same variables, AUDIT_LOG_DATABASE_URL and so on.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a.b")]
    [InlineData("käse")]
    [InlineData("Host=db-1;Password=secret")]
    public void An_unusable_router_name_is_rejected_and_not_repeated(string name)
    {
        var error = Assert.Throws<ArgumentException>(() => new ServiceCollection().AddReplicaRouter(name, Configure));
        Assert.Equal("The router's name is invalid. Write 1 to 63 letters from A to Z, digits, - or _. (Parameter 'name')", error.Message);
    }

    private static void Configure(DatabaseRouterOptions options) => options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = Unreachable };
}
