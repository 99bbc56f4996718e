using System.Runtime.CompilerServices;
using Npgsql;

namespace ReplicaRouter.Pools;

/// <summary>The pool that a closed connection is going to take its physical connection from.</summary>
/// <remarks>Npgsql shows no way to change it. A version that keeps it elsewhere has connections lead where they were created.</remarks>
internal static class PoolOfConnection
{
    /// <returns>Whether Npgsql keeps it where it is looked for.</returns>
    public static bool TrySet(NpgsqlConnection connection, NpgsqlDataSource dataSource)
    {
        try
        {
            var settings = SettingsOf(dataSource.CreateConnection());
            DataSourceOf(connection) = dataSource;
            SetSettings(connection, settings);
            return true;
        }
        catch (MissingMemberException)
        {
            return false;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_dataSource")]
    private static extern ref NpgsqlDataSource? DataSourceOf(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Settings")]
    private static extern NpgsqlConnectionStringBuilder SettingsOf(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Settings")]
    private static extern void SetSettings(NpgsqlConnection connection, NpgsqlConnectionStringBuilder settings);
}
