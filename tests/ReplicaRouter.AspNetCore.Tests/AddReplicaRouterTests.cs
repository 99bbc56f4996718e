using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ReplicaRouter;

// Outside our own namespaces, like applications: the namespace decides which AddReplicaRouter is called.
namespace AspNetCore.Tests;

public class AddReplicaRouterTests
{
    [Fact]
    public async Task AddReplicaRouter_registers_a_singleton_router()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddReplicaRouter(options => options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=127.0.0.1;Port=1" });
        await using var app = builder.Build();
        app.UseReplicaRouter();
        Assert.Same(app.Services.GetRequiredService<DatabaseRouter>(), app.Services.GetRequiredService<DatabaseRouter>());
    }
}
