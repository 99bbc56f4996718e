using Npgsql;

namespace ReplicaRouter.Errors;

/// <summary>Work was given up because its host hangs or lets no client in, not because anything answered.</summary>
internal sealed class HostLostException(string message) : NpgsqlException(message)
{
    public override bool IsTransient => true;
}
