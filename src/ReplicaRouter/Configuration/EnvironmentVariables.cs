using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace ReplicaRouter.Configuration;

/// <summary>Reads hosts from <c>DATABASE_URL</c> and <c>DATABASE_READ_REPLICA_*_URL</c>.</summary>
internal static partial class EnvironmentVariables
{
    public const string Primary = "DATABASE_URL";

    /// <summary>Adds the hosts to <paramref name="options"/>. A variable overrides the connection string of its host. A malformed replica variable is a fault.</summary>
    public static void Apply(IConfiguration variables, DatabaseRouterOptions options)
    {
        var prefix = options.Names.VariablePrefix;
        foreach (var (name, value) in variables.AsEnumerable().OrderBy(v => v.Key, StringComparer.OrdinalIgnoreCase))
        {
            if (string.IsNullOrWhiteSpace(value) || !name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) continue;
            if (HostOf(name[prefix.Length..], prefix, options.Faults) is not { } host) continue;
            if (!options.Hosts.TryGetValue(host, out var settings)) options.Hosts[host] = settings = new DatabaseHostOptions();
            settings.ConnectionString = value;
            settings.Source = name.ToUpperInvariant();
        }
    }

    private static string? HostOf(string variable, string prefix, List<string> faults)
    {
        if (variable.Equals(Primary, StringComparison.OrdinalIgnoreCase)) return HostNames.Primary;
        if (!variable.StartsWith("DATABASE_READ_REPLICA_", StringComparison.OrdinalIgnoreCase)) return null;
        var match = ReplicaVariable().Match(variable);
        // Ignoring a misspelt variable would silently omit a replica.
        if (!match.Success)
        {
            var which = Identifier.Is(variable) ? prefix + variable : $"A variable that begins with {prefix}DATABASE_READ_REPLICA_";
            faults.Add($"{which} does not name a replica. Write {prefix}DATABASE_READ_REPLICA_<number>_URL, with a number from 1, or {prefix}DATABASE_READ_REPLICA_DR_URL.");
            return null;
        }

        return match.Groups[1].Value.ToUpperInvariant() switch
        {
            "DR" => HostNames.DisasterRecovery,
            "1" => HostNames.Analytics,
            "2" => HostNames.Background,
            var number => "replica-" + long.Parse(number, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture),
        };
    }

    [GeneratedRegex(@"^DATABASE_READ_REPLICA_(DR|[1-9]\d{0,8})_URL$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ReplicaVariable();
}
