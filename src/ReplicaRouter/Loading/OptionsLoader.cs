using Microsoft.Extensions.Configuration;

namespace ReplicaRouter.Loading;

/// <summary>Fills options from configuration: the router's section, then its variables, which win.</summary>
/// <remarks>The framework's binder is not used: it quotes the first value that it can't read, and keeps silent about unknown keys.</remarks>
internal static class OptionsLoader
{
    /// <summary>
    /// Fills the options of a router, whose name is null or empty for the one without. What is wrong is kept in <see cref="DatabaseRouterOptions.Faults"/>, to be
    /// reported with all other faults.
    /// </summary>
    public static void Load(DatabaseRouterOptions options, IConfiguration configuration, string? router = null)
    {
        var names = options.Names = ConfigurationNames.Of(router);
        new SectionReader(options.Faults).Read(configuration.GetSection(names.Section), options);
        foreach (var (name, host) in options.Hosts) host.Source ??= $"{names.Section}:Hosts:{name}:ConnectionString";
        EnvironmentVariables.Apply(configuration, options);
        if (names.ConnectionString is { } key && !options.Hosts.ContainsKey(HostNames.Primary) && configuration[key] is { Length: > 0 } primary)
        {
            options.Hosts[HostNames.Primary] = new DatabaseHostOptions { ConnectionString = primary, Source = key };
        }
    }

    /// <summary>The <c>.env</c> file of the working directory under the real variables, which win.</summary>
    /// <exception cref="DatabaseRouterConfigurationException">The <c>.env</c> file is malformed.</exception>
    public static IConfigurationBuilder AddDotEnv(this IConfigurationBuilder builder) =>
        builder.AddInMemoryCollection(DotEnvFile.Read(Path.Combine(Environment.CurrentDirectory, ".env"))
            // As in real variables, two underscores stand for the colon of a section.
            .Select(v => KeyValuePair.Create(v.Key.Replace("__", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal), (string?)v.Value)));
}
