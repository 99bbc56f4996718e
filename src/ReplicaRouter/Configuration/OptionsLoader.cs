using Microsoft.Extensions.Configuration;

namespace ReplicaRouter;

/// <summary>Fills options from configuration: the section <c>ReplicaRouter</c>, then the variables, which win.</summary>
internal static class OptionsLoader
{
    /// <exception cref="RouterConfigurationException">A value can't be read as its type, or the <c>.env</c> file is malformed.</exception>
    public static void Load(DatabaseRouterOptions options, IConfiguration configuration)
    {
        try
        {
            configuration.GetSection(DatabaseRouterOptions.SectionName).Bind(options);
        }
        catch (InvalidOperationException e)
        {
            // The binder's message names the key and quotes the value: time spans and numbers only, for strings always bind.
            throw new RouterConfigurationException([e.Message]);
        }

        foreach (var (name, host) in options.Hosts)
        {
            host.Source ??= $"{DatabaseRouterOptions.SectionName}:Hosts:{name}:ConnectionString";
        }

        EnvironmentVariables.Apply(configuration, options);
    }

    /// <summary>The <c>.env</c> file of the working directory under the real variables, which win.</summary>
    public static IConfigurationBuilder AddDotEnv(this IConfigurationBuilder builder) =>
        builder.AddInMemoryCollection(DotEnvFile.Read(Path.Combine(Environment.CurrentDirectory, ".env"))
            // As in real variables, two underscores stand for the colon of a section.
            .Select(v => KeyValuePair.Create(v.Key.Replace("__", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal), (string?)v.Value)));
}
