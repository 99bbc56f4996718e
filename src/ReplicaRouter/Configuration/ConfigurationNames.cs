namespace ReplicaRouter.Configuration;

/// <summary>Where a router's configuration is found. A further router of an application has a name, and a section and variables of its own.</summary>
/// <param name="Router">The router's name; null for the one without.</param>
/// <param name="Section">Its section.</param>
/// <param name="VariablePrefix">What the names of its variables begin with.</param>
/// <param name="ConnectionString">The key of a connection string that names its primary if nothing else does; null for none.</param>
internal sealed record ConfigurationNames(string? Router, string Section, string VariablePrefix, string? ConnectionString)
{
    /// <summary>Those of the router whose name is null or empty.</summary>
    public static readonly ConfigurationNames Default = new(null, DatabaseRouterOptions.SectionName, "", null);

    public string PrimaryVariable => VariablePrefix + EnvironmentVariables.Primary;

    public static ConfigurationNames Of(string? name) => string.IsNullOrEmpty(name)
        ? Default
        : new(name, $"{DatabaseRouterOptions.SectionName}s:{name}", $"{name.ToUpperInvariant().Replace('-', '_')}_", $"ConnectionStrings:{name}");
}
