using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using ReplicaRouter;

// Like an application: in a namespace below ReplicaRouter the core's AddReplicaRouter would take precedence.
namespace DashboardGuide;

/// <summary>The guide's program for a dashboard on its own port; <see cref="ReplicaRouter.AspNetCore.Tests.Dashboard.DashboardGuideTests"/> runs it.</summary>
internal static class Programs
{
    public static WebApplication OnItsOwnPort(string[] args, Action<IWebHostBuilder> configure)
    {
        #region
        var builder = WebApplication.CreateBuilder(args);
        builder.AddReplicaRouter();
        builder.WebHost.UseUrls("http://*:8080", "http://*:8081");      // expose only 8080 to the outside

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
