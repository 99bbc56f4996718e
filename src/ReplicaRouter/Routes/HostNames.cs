namespace ReplicaRouter.Routes;

/// <summary>Host and group names with a special meaning.</summary>
internal static class HostNames
{
    public const string Primary = "primary";
    public const string Read = "read";
    public const string Analytics = "analytics";
    public const string Background = "background";
    public const string DisasterRecovery = "dr";

    /// <summary>Groups that routes can name even if no host serves them.</summary>
    public static readonly string[] BuiltInGroups = [Primary, Read, Analytics, Background, DisasterRecovery];

    /// <summary>Returns the groups of a host that configures none.</summary>
    /// <remarks>The configured primary also serves reads, as a standby after a failover. While it is the primary, its role excludes it.</remarks>
    public static string[] DefaultGroupsOf(string host) => host.ToUpperInvariant() switch
    {
        "ANALYTICS" => [Analytics, Read],
        "BACKGROUND" => [Background, Read],
        "DR" => [DisasterRecovery],
        _ => [Read],
    };
}
