namespace ReplicaRouter.Configuration;

/// <summary>The locations of a router's configuration. A further router of an application has a name, and its own section and variables.</summary>
/// <param name="Router">The router's name; null for the unnamed router.</param>
/// <param name="Section">Its configuration section.</param>
/// <param name="VariablePrefix">The prefix of its variables.</param>
/// <param name="ConnectionString">The key of a connection string that names the primary if nothing else does; null for none.</param>
internal sealed record ConfigurationNames(string? Router, string Section, string VariablePrefix, string? ConnectionString)
{
    /// <summary>The locations for the unnamed router, whose name is null or empty.</summary>
    public static readonly ConfigurationNames Default = new(null, DatabaseRouterOptions.SectionName, "", null);

    public string PrimaryVariable => VariablePrefix + EnvironmentVariables.Primary;

    public static ConfigurationNames Of(string? name) => string.IsNullOrEmpty(name)
        ? Default
        : new(name, $"{DatabaseRouterOptions.SectionName}s:{name}", $"{name.ToUpperInvariant().Replace('-', '_')}_", $"ConnectionStrings:{name}");
}
