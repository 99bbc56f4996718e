using Npgsql;

namespace ReplicaRouter.Infrastructure;

internal static class NpgsqlConnectionExtensions
{
    /// <summary>Whether the server says of itself, unasked, that it is a standby.</summary>
    /// <remarks>Source: PostgreSQL manual, "ParameterStatus": <c>in_hot_standby</c>, from version 14 on.</remarks>
    public static bool IsToStandby(this NpgsqlConnection connection) => connection.PostgresParameters.TryGetValue("in_hot_standby", out var value) && value == "on";
}
