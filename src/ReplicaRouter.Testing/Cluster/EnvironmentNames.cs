using System.Globalization;

namespace ReplicaRouter.Testing.Cluster;

/// <summary>The environment variables in which the router looks for servers.</summary>
internal static class EnvironmentNames
{
    internal static Dictionary<string, string> Of(IEnumerable<LocalServer> servers) => servers
        .Select(server => (Variable: VariableOf(server.Name), server.Url))
        .Where(pair => pair.Variable is not null)
        .ToDictionary(pair => pair.Variable!, pair => pair.Url);

    private static string? VariableOf(string name) => name switch
    {
        LocalCluster.PrimaryName => "DATABASE_URL",
        "analytics" => "DATABASE_READ_REPLICA_1_URL",
        "background" => "DATABASE_READ_REPLICA_2_URL",
        "dr" => "DATABASE_READ_REPLICA_DR_URL",
        _ when name.StartsWith("replica-", StringComparison.Ordinal)
            && int.TryParse(name.AsSpan("replica-".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 3
            => $"DATABASE_READ_REPLICA_{number}_URL",
        _ => null,
    };
}
