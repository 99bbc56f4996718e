using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ReplicaRouter;

/// <summary>A router in a web application, with its web options, token seal and session carrier.</summary>
internal sealed class WebRouter
{
    public WebRouter(RouterRegistration registration, IServiceProvider services)
    {
        Name = registration.Name;
        Router = registration.Of(services);
        Options = services.GetRequiredService<IOptionsMonitor<DatabaseRouterWebOptions>>().Get(registration.OptionsName);
        Seal = new TokenSeal(services.GetRequiredService<IDataProtectionProvider>(), this);
        Carrier = new SessionCarrier(this, services.GetRequiredService<ILoggerFactory>().CreateLogger(ClusterRouter.LogCategoryOf(Name)));
    }

    /// <summary>The router's name; null for the unnamed router.</summary>
    public string? Name { get; }

    public DatabaseRouter Router { get; }

    public DatabaseRouterWebOptions Options { get; }

    public TokenSeal Seal { get; }

    public SessionCarrier Carrier { get; }
}
