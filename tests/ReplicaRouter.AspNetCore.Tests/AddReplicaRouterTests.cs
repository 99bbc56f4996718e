using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ReplicaRouter;

// Outside of our own namespaces, as applications are: which AddReplicaRouter it is depends on that.
namespace AspNetCore.Tests;

public class AddReplicaRouterTests
{
    [Fact]
    public async Task The_router_is_there_for_whoever_asks()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddReplicaRouter(options => options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=127.0.0.1;Port=1" });
        await using var app = builder.Build();
        app.UseReplicaRouter();
        Assert.Same(app.Services.GetRequiredService<DatabaseRouter>(), app.Services.GetRequiredService<DatabaseRouter>());
    }
}
