using Microsoft.Extensions.Options;

namespace ReplicaRouter;

/// <summary>Gives each named router its own cookie and header names, unless the application sets them.</summary>
internal sealed class WebOptionsOfNamedRouter : IPostConfigureOptions<DatabaseRouterWebOptions>
{
    private static readonly DatabaseRouterWebOptions s_default = new();

    public void PostConfigure(string? name, DatabaseRouterWebOptions options)
    {
        if (string.IsNullOrEmpty(name)) return;
        if (options.CookieName == s_default.CookieName) options.CookieName += $"-{name}";
        if (options.HeaderName == s_default.HeaderName) options.HeaderName = SessionMetadata.KeyOf(name);
    }
}
