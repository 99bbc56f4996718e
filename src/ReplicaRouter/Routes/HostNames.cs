namespace ReplicaRouter.Routes;

/// <summary>Host and group names that have a meaning of their own.</summary>
internal static class HostNames
{
    public const string Primary = "primary";
    public const string Read = "read";
    public const string Analytics = "analytics";
    public const string Background = "background";
    public const string DisasterRecovery = "dr";

    /// <summary>Groups that routes may name although no host serves them.</summary>
    public static readonly string[] BuiltInGroups = [Primary, Read, Analytics, Background, DisasterRecovery];

    /// <summary>The groups of a host that names none.</summary>
    /// <remarks>The configured primary serves reads too: as a standby, after a failover. As long as it is the primary, its role keeps it out.</remarks>
    public static string[] DefaultGroupsOf(string host) => host.ToUpperInvariant() switch
    {
        "ANALYTICS" => [Analytics, Read],
        "BACKGROUND" => [Background, Read],
        "DR" => [DisasterRecovery],
        _ => [Read],
    };
}
