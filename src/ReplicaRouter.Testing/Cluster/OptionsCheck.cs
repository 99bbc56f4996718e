using System.Text.RegularExpressions;

namespace ReplicaRouter.Testing.Cluster;

/// <summary>Rejects options that cannot form a cluster, before anything is started.</summary>
internal static partial class OptionsCheck
{
    internal static void Check(LocalClusterOptions options)
    {
        if (options.Version is < 15 or > 18) throw Fault($"Version is {options.Version}; 15 to 18 are supported.");
        if (options.StartTimeout <= TimeSpan.Zero) throw Fault($"StartTimeout is {options.StartTimeout}; it must be positive.");
        if (options.PrimaryPort is < 1 or > 65535) throw Fault($"PrimaryPort is {options.PrimaryPort}; it must be 1 to 65535.");
        if (options.User is "" or ClusterSetup.Superuser) throw Fault($"User is '{options.User}', which is empty or the cluster's own superuser.");
        if (options.Database is "" or "postgres" or "template0" or "template1")
            throw Fault($"Database is '{options.Database}', which is empty or PostgreSQL's own.");
        if (options.Password is "") throw Fault("Password is empty.");
        List<string> names = [LocalCluster.PrimaryName];
        foreach (var replica in options.Replicas) CheckReplica(replica, names);
    }

    /// <summary>Checks one replica against the servers before it, and adds its name to them.</summary>
    internal static void CheckReplica(LocalReplicaOptions replica, List<string> names)
    {
        if (!NamePattern().IsMatch(replica.Name))
            throw Fault($"Replica name '{replica.Name}' is not valid: it must be 1 to 40 lower-case letters, digits and dashes, starting with a letter.");
        if (names.Contains(replica.Name)) throw Fault($"Server name '{replica.Name}' is used twice.");
        if (replica.Upstream is { } upstream && !names.Contains(upstream))
            throw Fault($"Replica '{replica.Name}' streams from '{upstream}', which is not one of the servers before it ({string.Join(", ", names)}).");
        if (replica is { IsSynchronous: true, Upstream: not null })
            throw Fault($"Replica '{replica.Name}' can't be synchronous: it streams from '{replica.Upstream}', not from the primary.");
        names.Add(replica.Name);
    }

    private static ArgumentException Fault(string message) => new(message);

    [GeneratedRegex("^[a-z][a-z0-9-]{0,39}$")]
    private static partial Regex NamePattern();
}
