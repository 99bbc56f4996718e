using Microsoft.Extensions.Configuration;

namespace ReplicaRouter;

/// <summary>Fills options from configuration: the router's section, then its variables, which win.</summary>
/// <remarks>The framework's binder is not used: it quotes the first value that it can't read, and keeps silent about unknown keys.</remarks>
internal static class OptionsLoader
{
    /// <summary>What is wrong is kept in <see cref="DatabaseRouterOptions.Faults"/>, to be reported with all other faults.</summary>
    /// <param name="options">The options.</param>
    /// <param name="configuration">The application's configuration.</param>
    /// <param name="router">The router's name; null or empty for the one without.</param>
    public static void Load(DatabaseRouterOptions options, IConfiguration configuration, string? router = null)
    {
        var names = options.Names = ConfigurationNames.Of(router);
        new SectionReader(configuration.GetSection(names.Section), options.Faults).ReadAll(reader => Read(reader, options));
        foreach (var (name, host) in options.Hosts)
        {
            host.Source ??= $"{names.Section}:Hosts:{name}:ConnectionString";
        }

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

    private static void Read(SectionReader reader, DatabaseRouterOptions options)
    {
        reader.Time(nameof(options.MaxLag), value => options.MaxLag = value);
        reader.Time(nameof(options.ForcedFailoverDuration), value => options.ForcedFailoverDuration = value);
        reader.Time(nameof(options.DrainTimeout), value => options.DrainTimeout = value);
        reader.Text(nameof(options.TokenSecret), value => options.TokenSecret = value);
        reader.List(nameof(options.AcceptedTokenSecrets), options.AcceptedTokenSecrets);
        reader.Time(nameof(options.SessionWindow), value => options.SessionWindow = value);
        reader.Text(nameof(options.ApplicationName), value => options.ApplicationName = value);
        reader.Named(nameof(options.Hosts), "host", (name, host) => Read(host, In(options.Hosts, name)));
        reader.Named(nameof(options.Routes), "route", (name, route) => Read(route, In(options.Routes, name)));
        reader.Section(nameof(options.Health), health => Read(health, options.Health));
        reader.Section(nameof(options.PrimaryProtection), protection => Read(protection, options.PrimaryProtection));
        reader.Section(nameof(options.Discovery), discovery => Read(discovery, options.Discovery));
    }

    private static void Read(SectionReader reader, DatabaseHostOptions host)
    {
        reader.Text(nameof(host.ConnectionString), value => host.ConnectionString = value);
        reader.List(nameof(host.Groups), host.Groups);
        reader.List(nameof(host.Labels), host.Labels);
        reader.Number(nameof(host.Weight), value => host.Weight = value);
    }

    private static void Read(SectionReader reader, DatabaseRouteOptions route)
    {
        reader.List(nameof(route.Groups), route.Groups);
        reader.Time(nameof(route.MaxLag), value => route.MaxLag = value);
        reader.Flag(nameof(route.ReadOnly), value => route.ReadOnly = value);
        reader.Time(nameof(route.Wait), value => route.Wait = value);
        reader.Number(nameof(route.MaxWaiting), value => route.MaxWaiting = value);
        reader.Flag(nameof(route.AllowHedging), value => route.AllowHedging = value);
        reader.Choice<Consistency>(nameof(route.Consistency), value => route.Consistency = value);
        reader.Time(nameof(route.CatchUpWait), value => route.CatchUpWait = value);
        reader.Number(nameof(route.MaxPoolSize), value => route.MaxPoolSize = value);
        reader.Number(nameof(route.MinPoolSize), value => route.MinPoolSize = value);
        reader.Time(nameof(route.ConnectTimeout), value => route.ConnectTimeout = value);
        reader.Time(nameof(route.CommandTimeout), value => route.CommandTimeout = value);
    }

    private static void Read(SectionReader reader, HealthOptions health)
    {
        reader.Time(nameof(health.Interval), value => health.Interval = value);
        reader.Time(nameof(health.Timeout), value => health.Timeout = value);
    }

    private static void Read(SectionReader reader, PrimaryProtectionOptions protection)
    {
        reader.Number(nameof(protection.MaxConcurrentReads), value => protection.MaxConcurrentReads = value);
        reader.Number(nameof(protection.MaxReadsPerSecond), value => protection.MaxReadsPerSecond = value);
    }

    private static void Read(SectionReader reader, DiscoveryOptions discovery)
    {
        reader.Time(nameof(discovery.Interval), value => discovery.Interval = value);
        reader.Time(nameof(discovery.Timeout), value => discovery.Timeout = value);
        reader.List(nameof(discovery.Groups), discovery.Groups);
        reader.List(nameof(discovery.AllowedHosts), discovery.AllowedHosts);
        reader.Section(nameof(discovery.Dns), dns =>
        {
            dns.Text(nameof(discovery.Dns.Name), value => discovery.Dns.Name = value);
            dns.Number(nameof(discovery.Dns.Port), value => discovery.Dns.Port = value);
            dns.Text(nameof(discovery.Dns.Nameserver), value => discovery.Dns.Nameserver = value);
        });
        reader.Section(nameof(discovery.Patroni), patroni =>
        {
            patroni.List(nameof(discovery.Patroni.Urls), discovery.Patroni.Urls);
            patroni.Text(nameof(discovery.Patroni.CertificateAuthorityFile), value => discovery.Patroni.CertificateAuthorityFile = value);
        });
        reader.Section(nameof(discovery.Aurora), aurora => aurora.Text(nameof(discovery.Aurora.HostPattern), value => discovery.Aurora.HostPattern = value));
    }

    private static T In<T>(IDictionary<string, T> named, string name) where T : new() => named.TryGetValue(name, out var existing) ? existing : named[name] = new T();
}
