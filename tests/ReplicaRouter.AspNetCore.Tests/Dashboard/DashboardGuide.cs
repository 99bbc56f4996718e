using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using ReplicaRouter;

// As in an application: in a namespace below ReplicaRouter the core's AddReplicaRouter would come first.
namespace DashboardGuide;

/// <summary>What the guide says of a dashboard on a port of its own; <see cref="ReplicaRouter.AspNetCore.Tests.Dashboard.DashboardGuideTests"/> runs it.</summary>
internal static class Programs
{
    public static WebApplication OnItsOwnPort(string[] args, Action<IWebHostBuilder> configure)
    {
        #region
        var builder = WebApplication.CreateBuilder(args);
        builder.AddReplicaRouter();
        builder.WebHost.UseUrls("http://*:8080", "http://*:8081");      // let only 8080 be reached from outside

        #endregion
        configure(builder.WebHost);
        #region
        var app = builder.Build();
        app.MapReplicaRouterHealth().RequireLocalPort(8081);
        app.MapReplicaRouterDashboard("/replica-router").RequireLocalPort(8081).AllowAnonymous();
        #endregion
        return app;
    }
}
