using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>All routers of a web application, the unnamed one first.</summary>
internal sealed class WebRouters(IServiceProvider services)
{
    public ImmutableArray<WebRouter> All { get; } = [.. RouterRegistration.AllIn(services).Select(registration => new WebRouter(registration, services))];

    /// <param name="name">The router's name; null for the unnamed one.</param>
    /// <exception cref="InvalidOperationException">The application has no such router.</exception>
    public WebRouter Of(string? name) => All.FirstOrDefault(router => router.Name == name) ?? throw new InvalidOperationException(name is null
        ? "The application has no unnamed router. Call builder.AddReplicaRouter()."
        : $"The application has no router '{name}'. Call builder.AddReplicaRouter(\"{name}\").");
}
