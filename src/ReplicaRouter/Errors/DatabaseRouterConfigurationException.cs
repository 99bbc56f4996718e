using Npgsql;

namespace ReplicaRouter;

/// <summary>The configuration is wrong, or the servers don't match it. Retrying won't help. The message holds every fault found.</summary>
public sealed class DatabaseRouterConfigurationException : NpgsqlException
{
    /// <summary>Creates the exception from the faults found.</summary>
    /// <param name="faults">At least one fault: where, what is wrong, what would be right. Never holds a password.</param>
    public DatabaseRouterConfigurationException(IReadOnlyList<string> faults)
        : base(string.Join(Environment.NewLine, faults)) => Faults = faults;

    /// <summary>False: the same configuration fails again.</summary>
    public override bool IsTransient => false;

    /// <summary>The faults, one sentence or two each.</summary>
    public IReadOnlyList<string> Faults { get; }
}
