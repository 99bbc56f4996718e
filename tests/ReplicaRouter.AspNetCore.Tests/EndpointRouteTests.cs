using System.Data.Common;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ReplicaRouter.AspNetCore.Tests;

public class EndpointRouteTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static Task<TestApplication> StartAsync(bool safeMethodsRead = false) => TestApplication.StartAsync(app =>
    {
        app.UseReplicaRouter();
        static string Route([FromKeyedServices(EndpointRoute.Key)] DbDataSource source) => source.ConnectionString;
        app.MapMethods("/silent", ["GET", "POST"], Route);
        app.MapPost("/analytics", Route).RouteTo(DatabaseOperation.Analytics);
        var group = app.MapGroup("/group").RouteTo("background");
        group.MapGet("/outer", Route);
        group.MapGet("/inner", Route).RouteTo(DatabaseOperation.Read);
        app.MapGet("/attribute", [RouteTo(DatabaseOperation.Transactional)] ([FromKeyedServices(EndpointRoute.Key)] DbDataSource source) => source.ConnectionString);
        app.MapGet("/connection", ([FromKeyedServices(EndpointRoute.Key)] NpgsqlConnection connection) => new NpgsqlConnectionStringBuilder(connection.ConnectionString).Host)
            .RouteTo(DatabaseOperation.Analytics);
        app.MapControllers();
    }, services =>
    {
        services.AddControllers().AddApplicationPart(typeof(EndpointRouteTests).Assembly);
        services.AddReplicaRouterWeb(options => options.SafeMethodsRead = safeMethodsRead);
    });

    [Theory]
    [InlineData("GET", "/silent", false, "write")]
    [InlineData("GET", "/silent", true, "read")]
    [InlineData("POST", "/silent", true, "write")]
    [InlineData("POST", "/analytics", true, "analytics")]
    [InlineData("GET", "/group/outer", true, "background")]
    [InlineData("GET", "/group/inner", false, "read")]
    [InlineData("GET", "/attribute", true, "transactional")]
    [InlineData("GET", "/routed/class", false, "analytics")]
    [InlineData("GET", "/routed/method", false, "background")]
    public async Task An_injected_data_source_uses_the_route_of_its_endpoint(string method, string path, bool safeMethodsRead, string route)
    {
        await using var app = await StartAsync(safeMethodsRead);
        using var client = app.Client();
        using var response = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path), Ct);
        Assert.Equal($"Application Name={route}", await response.Content.ReadAsStringAsync(Ct));
    }

    [Fact]
    public async Task A_route_scope_takes_precedence_over_the_endpoint()
    {
        await using var app = await TestApplication.StartAsync(app =>
        {
            app.UseReplicaRouter();
            app.MapGet("/", (IServiceProvider services, DatabaseRouter router) =>
            {
                using var scope = router.BeginRoute(DatabaseOperation.Background);
                return services.GetRequiredKeyedService<DbDataSource>(EndpointRoute.Key).ConnectionString;
            }).RouteTo(DatabaseOperation.Analytics);
        });
        using var client = app.Client();
        Assert.Equal("Application Name=background", await client.GetStringAsync("/", Ct));
    }

    [Fact]
    public async Task An_injected_connection_uses_the_route_of_its_endpoint()
    {
        await using var app = await StartAsync();
        using var client = app.Client();
        Assert.Equal("10.0.0.2", await client.GetStringAsync("/connection", Ct));
    }

    [Fact]
    public async Task An_application_with_routed_endpoints_does_not_start_without_UseReplicaRouter()
    {
        var fault = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => TestApplication.StartAsync(
            app =>
            {
                app.MapGet("/reports", () => "").RouteTo(DatabaseOperation.Analytics);
                app.MapControllers();
            },
            services => services.AddControllers().AddApplicationPart(typeof(EndpointRouteTests).Assembly)));
        Assert.Contains("app.UseReplicaRouter()", fault.Message, StringComparison.Ordinal);
        Assert.Contains("/reports", fault.Message, StringComparison.Ordinal);
        Assert.Contains("(analytics)", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_Identity_endpoints_take_the_route_of_their_group()
    {
        await using var app = await TestApplication.StartAsync(
            app =>
            {
                app.UseReplicaRouter();
                #region
                app.MapIdentityApi<IdentityUser>().RouteTo(DatabaseOperation.Write);
                #endregion
            },
            services => services.AddAuthorization().AddIdentityApiEndpoints<IdentityUser>());
        var endpoints = app.Services.GetRequiredService<EndpointDataSource>().Endpoints;
        Assert.NotEmpty(endpoints);
        Assert.All(endpoints, endpoint => Assert.Equal("write", endpoint.Metadata.GetMetadata<RouteToAttribute>()?.Route.Name));
    }

    [Fact]
    public async Task Outside_a_request_an_injected_data_source_uses_the_write_route()
    {
        await using var app = await StartAsync();
        using var scope = app.Services.CreateScope();
        Assert.Equal("Application Name=write", scope.ServiceProvider.GetRequiredKeyedService<DbDataSource>(EndpointRoute.Key).ConnectionString);
    }
}

[ApiController]
[Route("/routed")]
[RouteTo(DatabaseOperation.Analytics)]
public class RoutedController : ControllerBase
{
    // Actions must be instance methods.
#pragma warning disable CA1822
    [HttpGet("class")]
    public string Class([FromKeyedServices(EndpointRoute.Key)] DbDataSource source) => source.ConnectionString;

    [HttpGet("method")]
    [RouteTo("background")]
    public string Method([FromKeyedServices(EndpointRoute.Key)] DbDataSource source) => source.ConnectionString;
}
