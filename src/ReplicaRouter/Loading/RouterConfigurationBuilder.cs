using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using System.Text;
using Npgsql;

namespace ReplicaRouter.Loading;

/// <summary>Validates options and builds a <see cref="RouterConfiguration"/>, or reports all faults at once.</summary>
internal sealed class RouterConfigurationBuilder
{
    private const int MinSecretLength = 32;

    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    private readonly DatabaseRouterOptions _options;
    private readonly List<string> _faults;

    private RouterConfigurationBuilder(DatabaseRouterOptions options) => (_options, _faults) = (options, [.. options.Faults]);

    /// <exception cref="DatabaseRouterConfigurationException">The options hold faults.</exception>
    public static RouterConfiguration Build(DatabaseRouterOptions options)
    {
        var builder = new RouterConfigurationBuilder(options);
        var configuration = builder.Build();
        return builder._faults.Count == 0 ? configuration : throw new DatabaseRouterConfigurationException([.. builder._faults.Distinct()]);
    }

    private RouterConfiguration Build()
    {
        var section = _options.Names.Section;
        InRange($"{section}:Health:Interval", _options.Health.Interval, 50 * Millisecond, TimeSpan.FromMinutes(1));
        InRange($"{section}:Health:Timeout", _options.Health.Timeout, 50 * Millisecond, TimeSpan.FromSeconds(30));
        InRange($"{section}:ForcedFailoverDuration", _options.ForcedFailoverDuration, 100 * Millisecond, TimeSpan.FromHours(1));
        InRange($"{section}:DrainTimeout", _options.DrainTimeout, TimeSpan.Zero, TimeSpan.FromHours(1));
        Lag($"{section}:MaxLag", _options.MaxLag);
        InRange($"{section}:PrimaryProtection:MaxConcurrentReads", _options.PrimaryProtection.MaxConcurrentReads, 1, 10_000);
        InRange($"{section}:PrimaryProtection:MaxReadsPerSecond", _options.PrimaryProtection.MaxReadsPerSecond, 1, 1_000_000);
        InRange($"{section}:SessionWindow", _options.SessionWindow, 100 * Millisecond, TimeSpan.FromHours(1));
        var secrets = BuildSecrets(section);
        var discovery = _options.Discovery;
        InRange($"{section}:Discovery:Interval", discovery.Interval, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        InRange($"{section}:Discovery:Timeout", discovery.Timeout, 100 * Millisecond, TimeSpan.FromMinutes(1));
        var hosts = BuildHosts();
        var allowed = AllowedHosts.Parse(discovery.AllowedHosts, $"{section}:Discovery:AllowedHosts", _faults);
        var login = new HostLogin(_options.PasswordProvider, _options.ConfigureDataSource, _options.Names.Router);
        var sources = TopologySources.Of(_options, hosts, login, allowed, _faults);
        ImmutableArray<string> groups = [.. discovery.Groups.DefaultIfEmpty(HostNames.Read).Select(g => g.ToLowerInvariant())];
        var routes = BuildRoutes(hosts);
        return new RouterConfiguration
        {
            Name = _options.Names.Router,
            Hosts = hosts,
            Routes = routes,
            Health = new HealthSettings(_options.Health.Interval, _options.Health.Timeout, _options.MaxLag, routes.Select(route => route.MaxLag).Append(_options.MaxLag).Min()),
            PrimaryReads = _options.PrimaryProtection.MaxConcurrentReads ?? MostFallbackReads(routes, hosts),
            PrimaryReadsPerSecond = _options.PrimaryProtection.MaxReadsPerSecond,
            ForcedFailoverDuration = _options.ForcedFailoverDuration,
            DrainTimeout = _options.DrainTimeout,
            AskIdleAfter = _options.AskIdleAfter,
            Login = login,
            Sources = sources,
            Discovery = new DiscoverySettings(discovery.Interval, discovery.Timeout, groups, allowed),
            SessionWindow = _options.SessionWindow,
            TokenSecrets = secrets,
        };
    }

    private ImmutableArray<byte[]> BuildSecrets(string section)
    {
        if (_options.TokenSecret is null)
        {
            if (_options.AcceptedTokenSecrets.Count > 0) _faults.Add($"{section}:AcceptedTokenSecrets requires TokenSecret, which signs tokens. Set TokenSecret, or remove AcceptedTokenSecrets.");
            return [];
        }

        CheckSecret($"{section}:TokenSecret", _options.TokenSecret);
        for (var i = 0; i < _options.AcceptedTokenSecrets.Count; i++) CheckSecret($"{section}:AcceptedTokenSecrets:{i}", _options.AcceptedTokenSecrets[i]);
        return [.. _options.AcceptedTokenSecrets.Prepend(_options.TokenSecret).Select(Encoding.UTF8.GetBytes)];
    }

    private void CheckSecret(string name, string secret)
    {
        if (secret.Length < MinSecretLength) _faults.Add($"{name} is too short. Write at least {MinSecretLength} random characters, the same in all processes that share tokens.");
    }

    private ImmutableArray<HostConfiguration> BuildHosts()
    {
        var hosts = ImmutableArray.CreateBuilder<HostConfiguration>();
        if (!_options.Hosts.ContainsKey(HostNames.Primary))
        {
            _faults.Add($"{_options.Names.PrimaryVariable} is not set. Set it to the primary's address, such as postgresql://user:password@host:5432/database, " +
                $"or set {_options.Names.Section}:Hosts:primary:ConnectionString.");
        }

        // The primary comes first, where people expect it in a status.
        foreach (var (key, host) in _options.Hosts.OrderBy(h => !IsPrimary(h.Key)))
        {
            var name = key.ToLowerInvariant();
            if (!Identifier.Is(name))
            {
                _faults.Add($"A host has an invalid name. {Identifier.Rule}");
                continue;
            }

            var source = host.Source ?? $"Host '{name}'";
            if (host.Groups.Any(IsPrimary)) _faults.Add($"{source}: the group 'primary' always means the observed primary. Remove it from the host's groups.");
            if (!host.Groups.All(Identifier.Is)) _faults.Add($"{source}: a group has an invalid name. {Identifier.Rule}");
            InRange($"{_options.Names.Section}:Hosts:{name}:Weight", host.Weight, 1, 100);
            foreach (var connection in Parse(source, host.ConnectionString))
            {
                var isFirst = hosts.All(h => h.Source != source);
                hosts.Add(new HostConfiguration
                {
                    Index = hosts.Count,
                    Name = isFirst ? name : NextName(name, hosts),
                    Connection = connection,
                    Groups = [.. (host.Groups.Count > 0 ? host.Groups.AsEnumerable() : HostNames.DefaultGroupsOf(name)).Select(g => g.ToLowerInvariant()).Distinct()],
                    Labels = [.. host.Labels],
                    Weight = host.Weight,
                    Source = source,
                });
            }
        }

        if (hosts.Count > RouterConfiguration.MostHosts) _faults.Add($"{hosts.Count} hosts are configured; a router supports at most {RouterConfiguration.MostHosts}.");
        // A duplicate host would count as two servers. Probes find duplicates with different addresses.
        var duplicates = hosts.GroupBy(h => h.Endpoint, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1);
        _faults.AddRange(duplicates.Select(each => SameServer(each.Select(h => h.Source))));
        return hosts.ToImmutable();
    }

    private static bool IsPrimary(string name) => name.Equals(HostNames.Primary, StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns the name of a further host of a connection string: <c>replica-3</c> and up if the first host is the primary, else the first name with a number.</summary>
    private string NextName(string first, IReadOnlyCollection<HostConfiguration> taken)
    {
        var (prefix, number) = first == HostNames.Primary ? ("replica-", 3) : (first + "-", 2);
        string Name() => prefix + number.ToString(CultureInfo.InvariantCulture);
        while (taken.Any(h => h.Name == Name()) || _options.Hosts.ContainsKey(Name())) number++;
        return Name();
    }

    private IReadOnlyList<NpgsqlConnectionStringBuilder> Parse(string source, string connectionString)
    {
        try
        {
            var connections = ConnectionStringParser.Parse(connectionString);
            NoFileMissing(source, connections[0]);
            return connections;
        }
        catch (ConnectionStringException e)
        {
            _faults.Add($"{source} {e.Message}");
            return [];
        }
    }

    /// <summary>Reports files that are missing at startup; one that disappears later makes logins fail. All hosts of a connection string name the same files.</summary>
    private void NoFileMissing(string source, NpgsqlConnectionStringBuilder settings)
    {
        string[] missing = [.. CertificateFiles.Missing(settings)];
        if (missing.Length == 0) return;
        var what = missing.Length == 1 ? "names a file that does not exist. Correct the setting, or create the file" : "name files that do not exist. Correct the settings, or create the files";
        _faults.Add($"{source}: {And(missing)} {what} before the start.");
    }

    /// <summary>Returns the fault of a server that is named more than once. A source that names it twice can be in the list twice.</summary>
    public static string SameServer(IEnumerable<string> sources)
    {
        string[] names = [.. sources.Distinct()];
        return names.Length == 1 ? $"{names[0]} names the same server twice. Name each server once." : $"{And(names)} name the same server. Name each server once.";
    }

    private static string And(string[] words) => words.Length == 1 ? words[0] : $"{string.Join(", ", words[..^1])} and {words[^1]}";

    private ImmutableArray<RoutePlan> BuildRoutes(ImmutableArray<HostConfiguration> hosts)
    {
        var builtIn = Enum.GetValues<DatabaseOperation>().Select(DatabaseRoute.NameOf).ToArray();
        if (!_options.Routes.Keys.All(Identifier.Is)) _faults.Add($"A route has an invalid name. {Identifier.Rule}");
        var names = builtIn.Concat(_options.Routes.Keys.Where(Identifier.Is).Select(n => n.ToLowerInvariant()).Except(builtIn).Order(StringComparer.Ordinal));
        return [.. names.Select((name, index) => BuildRoute(name, index, hosts))];
    }

    private RoutePlan BuildRoute(string name, int index, ImmutableArray<HostConfiguration> hosts)
    {
        var settings = _options.Routes.TryGetValue(name, out var configured) ? configured : new DatabaseRouteOptions();
        var key = $"{_options.Names.Section}:Routes:{name}";
        var tiers = Tiers(key, name, settings, hosts);
        var isPrimaryOnly = tiers.All(tier => tier.IsPrimary);
        CheckRoute(key, settings);

        var application = _options.ApplicationName ?? hosts.FirstOrDefault()?.Connection.ApplicationName ?? Assembly.GetEntryAssembly()?.GetName().Name ?? "ReplicaRouter";
        var isSlow = name is HostNames.Analytics or HostNames.Background;
        return new RoutePlan
        {
            Index = index,
            Name = name,
            Tiers = tiers,
            MaxLag = settings.MaxLag ?? _options.MaxLag,
            IsReadOnly = settings.ReadOnly ?? !isPrimaryOnly,
            Consistency = settings.Consistency ?? Consistency.Session,
            CatchUpWait = settings.CatchUpWait ?? (isSlow ? TimeSpan.FromSeconds(5) : TimeSpan.FromMilliseconds(50)),
            Wait = settings.Wait ?? TimeSpan.FromSeconds(isPrimaryOnly ? 10 : 2),
            MaxWaiting = settings.MaxWaiting ?? 1000,
            Hedge = settings.AllowHedging,
            Priority = name switch
            {
                HostNames.Analytics => ReadPriority.Analytics,
                HostNames.Background => ReadPriority.Background,
                _ => ReadPriority.Read,
            },
            Pool = new PoolSettings(settings.MaxPoolSize, settings.MinPoolSize, settings.ConnectTimeout, settings.CommandTimeout, ApplicationNames.OfRoute(application, name))
            {
                // 90 in total: all five routes of one process fit PostgreSQL's default of 100 connections.
                DefaultMaxPoolSize = isSlow ? 10 : isPrimaryOnly ? 20 : 30,
                DefaultCommandTimeout = name == HostNames.Analytics ? TimeSpan.FromMinutes(5) : TimeSpan.FromSeconds(30),
            },
        };
    }

    private void CheckRoute(string key, DatabaseRouteOptions settings)
    {
        if (settings.MaxLag is { } maxLag) Lag($"{key}:MaxLag", maxLag);
        if (settings.MaxPoolSize is < 1) _faults.Add($"{key}:MaxPoolSize is {settings.MaxPoolSize}. Write 1 or more, or remove the setting.");
        if (settings.MinPoolSize is < 0 || settings.MinPoolSize > (settings.MaxPoolSize ?? int.MaxValue))
        {
            _faults.Add($"{key}:MinPoolSize is {settings.MinPoolSize}. Write a number from 0 to MaxPoolSize ({settings.MaxPoolSize?.ToString(CultureInfo.InvariantCulture) ?? "not set"}).");
        }

        InRange($"{key}:Wait", settings.Wait, TimeSpan.Zero, TimeSpan.FromMinutes(10));
        InRange($"{key}:MaxWaiting", settings.MaxWaiting, 0, 1_000_000);
        InRange($"{key}:CatchUpWait", settings.CatchUpWait, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        if (settings.Consistency is { } consistency && !Enum.IsDefined(consistency))
        {
            _faults.Add($"{key}:Consistency is {consistency}. Write one of {string.Join(", ", Enum.GetNames<Consistency>())}.");
        }

        InRange($"{key}:ConnectTimeout", settings.ConnectTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
        InRange($"{key}:CommandTimeout", settings.CommandTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
    }

    /// <summary>Returns the size of the largest pool by which reads fall back. More reads would only wait for a connection.</summary>
    private static int MostFallbackReads(ImmutableArray<RoutePlan> routes, ImmutableArray<HostConfiguration> hosts) => routes
        .Where(route => route is { IsReadOnly: true, HasPrimary: true })
        .SelectMany(route => hosts.Select(host => route.Pool.MostConnections(host.Connection)))
        .DefaultIfEmpty(RouterConfiguration.UsualLeastPrimaryReads)
        .Max();

    private ImmutableArray<RouteTier> Tiers(string key, string route, DatabaseRouteOptions settings, ImmutableArray<HostConfiguration> hosts)
    {
        string[] groups = settings.Groups.Count > 0 ? [.. settings.Groups.Select(g => g.ToLowerInvariant())] : DefaultGroups(route);
        var known = hosts.SelectMany(h => h.Groups).Concat(_options.Discovery.Groups).Concat(HostNames.BuiltInGroups).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var (index, group) in groups.Index())
        {
            if (known.Contains(group)) continue;
            var meant = NearestName.Of(group, known) is { } near ? $"Did you mean '{near}'?" : $"Name one that a host serves, or one of {string.Join(", ", HostNames.BuiltInGroups)}.";
            _faults.Add(string.Create(CultureInfo.InvariantCulture, $"{key}:Groups:{index} names a group that no host serves. {meant}"));
        }

        return [.. groups.Select(group => new RouteTier(group))];
    }

    private static string[] DefaultGroups(string route) => route switch
    {
        "write" or "transactional" => [HostNames.Primary],
        HostNames.Analytics or HostNames.Background => [route, HostNames.Read, HostNames.Primary, HostNames.DisasterRecovery],
        _ => [HostNames.Read, HostNames.Primary, HostNames.DisasterRecovery],
    };

    private void Lag(string key, TimeSpan value)
    {
        InRange(key, value, 100 * Millisecond, TimeSpan.FromHours(1));
        var provable = HealthSettings.IntervalsPerLag * _options.Health.Interval;
        if (value >= 100 * Millisecond && value < provable)
        {
            _faults.Add($"{key} is {Text(value)}, but probes every {Text(_options.Health.Interval)} can't prove less than {Text(provable)}. " +
                $"Raise it, or lower {_options.Names.Section}:Health:Interval.");
        }
    }

    private void InRange(string key, TimeSpan? value, TimeSpan least, TimeSpan most)
    {
        if (value < least || value > most) _faults.Add($"{key} is {Text(value.Value)}. Write a time from {Text(least)} to {Text(most)}, as hh:mm:ss.");
    }

    private void InRange(string key, int? value, int least, int most)
    {
        if (value < least || value > most) _faults.Add(string.Create(CultureInfo.InvariantCulture, $"{key} is {value}. Write a number from {least} to {most}."));
    }

    private static string Text(TimeSpan value) => value.ToString("c", CultureInfo.InvariantCulture);
}
