namespace ReplicaRouter.Configuration;

/// <summary>The locations of a router's configuration. A further router of an application has a name, and its own section and variables.</summary>
/// <param name="Router">The router's name; null for the unnamed router.</param>
/// <param name="Section">Its configuration section.</param>
/// <param name="VariablePrefix">The prefix of its variables.</param>
/// <param name="ConnectionString">The key of a connection string that names the primary if nothing else does; null for none.</param>
internal sealed record ConfigurationNames(string? Router, string Section, string VariablePrefix, string? ConnectionString)
{
    public string PrimaryVariable => VariablePrefix + EnvironmentVariables.Primary;

    /// <summary>Returns the locations of a router; a null or empty name is the unnamed router.</summary>
    public static ConfigurationNames Of(string? name) => string.IsNullOrEmpty(name)
        ? new(null, DatabaseRouterOptions.SectionName, "", null)
        : new(name, $"{DatabaseRouterOptions.SectionName}s:{name}", $"{name.ToUpperInvariant().Replace('-', '_')}_", $"ConnectionStrings:{name}");
}
