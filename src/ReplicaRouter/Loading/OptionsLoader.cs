using Microsoft.Extensions.Configuration;

namespace ReplicaRouter.Loading;

/// <summary>Fills options from configuration: from the router's section, then from its variables, which override it.</summary>
/// <remarks>Does not use .NET's configuration binder, which quotes the first value that it can't parse, and ignores unknown keys.</remarks>
internal static class OptionsLoader
{
    /// <summary>Fills the options from their locations. Collects faults in <see cref="DatabaseRouterOptions.Faults"/>, to be reported together with all others.</summary>
    public static void Load(DatabaseRouterOptions options, IConfiguration configuration)
    {
        var names = options.Names;
        new SectionReader(options.Faults).Read(configuration.GetSection(names.Section), options);
        foreach (var (name, host) in options.Hosts) host.Source ??= $"{names.Section}:Hosts:{name}:ConnectionString";
        EnvironmentVariables.Apply(configuration, options);
        if (names.ConnectionString is { } key && !options.Hosts.ContainsKey(HostNames.Primary) && configuration[key] is { Length: > 0 } primary)
        {
            options.Hosts[HostNames.Primary] = new DatabaseHostOptions { ConnectionString = primary, Source = key };
        }
    }

    /// <summary>Adds the <c>.env</c> file of the working directory. Call it before the real variables are added, which then override the file.</summary>
    /// <exception cref="DatabaseRouterConfigurationException">The <c>.env</c> file is malformed.</exception>
    public static IConfigurationBuilder AddDotEnv(this IConfigurationBuilder builder) =>
        builder.AddInMemoryCollection(DotEnvFile.Read(Path.Combine(Environment.CurrentDirectory, ".env"))
            // As in real variables, two underscores stand for the colon between sections.
            .Select(v => KeyValuePair.Create(v.Key.Replace("__", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal), (string?)v.Value)));
}
