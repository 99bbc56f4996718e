using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace ReplicaRouter;

/// <summary>Has a router's options read again when the configuration is.</summary>
/// <param name="name">The options' name.</param>
/// <param name="configuration">The configuration.</param>
internal sealed class ConfigurationChanges(string name, IConfiguration configuration) : IOptionsChangeTokenSource<DatabaseRouterOptions>
{
    public string? Name => name;

    public IChangeToken GetChangeToken() => configuration.GetReloadToken();
}
