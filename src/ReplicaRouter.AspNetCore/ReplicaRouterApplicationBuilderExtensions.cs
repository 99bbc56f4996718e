using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ReplicaRouter;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds the router to a web application.</summary>
public static class ReplicaRouterApplicationBuilderExtensions
{
    /// <summary>Registers the router, configured by the application's configuration and environment variables.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="configure">What is set in code; it has the last word.</param>
    public static IHostApplicationBuilder AddReplicaRouter(this IHostApplicationBuilder builder, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddReplicaRouter(builder.Configuration, configure);
        return builder;
    }
}
