using Npgsql;

namespace ReplicaRouter.Errors;

/// <summary>Work was abandoned because its host hangs or accepts no logins, not because of an answer.</summary>
internal sealed class HostLostException(string message) : NpgsqlException(message)
{
    public override bool IsTransient => true;
}
