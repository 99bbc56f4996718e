using Npgsql;

namespace ReplicaRouter;

/// <summary>The configuration is invalid, or the servers don't match it. Retrying won't help. The message lists all faults.</summary>
public sealed class DatabaseRouterConfigurationException : NpgsqlException
{
    /// <summary>Creates the exception from the faults.</summary>
    /// <param name="faults">At least one fault: where, what is wrong, and how to fix it. Must not contain a password.</param>
    public DatabaseRouterConfigurationException(IReadOnlyList<string> faults)
        : base(string.Join(Environment.NewLine, faults)) => Faults = faults;

    /// <summary>False: the same configuration fails again.</summary>
    public override bool IsTransient => false;

    /// <summary>The faults, one or two sentences each.</summary>
    public IReadOnlyList<string> Faults { get; }
}
