using System.Runtime.CompilerServices;
using Npgsql;

namespace ReplicaRouter.Pools;

/// <summary>Changes the pool from which a closed connection takes its physical connection when it is opened.</summary>
/// <remarks>Npgsql has no API for it. With a version that stores it elsewhere, connections lead where they were created.</remarks>
internal static class PoolOfConnection
{
    /// <returns>Whether the pool was changed: false if this version of Npgsql stores it elsewhere.</returns>
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
