using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Npgsql;
using Npgsql.Internal;

namespace ReplicaRouter.Pools;

/// <summary>The socket beneath an open connection.</summary>
/// <remarks>
/// Npgsql has no API to check whether the peer has closed an idle connection, or to end a connection that a command waits on. With a version of Npgsql that keeps
/// its socket elsewhere, only the check is lost: then a dead connection is found by a round trip to the server.
/// </remarks>
internal static class ConnectionSocket
{
#pragma warning disable NPG9001 // A type whose members can change: it is only passed on here.
    private static readonly bool s_showsConnector = Shows(() => ConnectorOf(new NpgsqlConnection()));
    private static readonly bool s_showsSocket = Shows(() => SocketOf((NpgsqlConnector)RuntimeHelpers.GetUninitializedObject(typeof(NpgsqlConnector))));

    /// <summary>Whether this version of Npgsql gives access to a connection's socket.</summary>
    public static bool IsShown => s_showsConnector && s_showsSocket;

    /// <returns>The socket; null if Npgsql gives no access to it or the connection is closed.</returns>
    public static Socket? Of(NpgsqlConnection connection) => IsShown && ConnectorOf(connection) is { } connector ? SocketOf(connector) : null;

    /// <summary>Returns an object that identifies the physical connection of an open connection, and lives as long as it.</summary>
    public static object OwnerOf(NpgsqlConnection connection) =>
        // PostgresParameters would work as well, but reading it allocates.
        s_showsConnector && ConnectorOf(connection) is { } connector ? connector : connection.PostgresParameters;

    /// <summary>Whether the peer has sent something or closed the connection. On an idle connection it is usually the latter.</summary>
    public static bool HasNews(Socket? socket)
    {
        try
        {
            return socket is not null && socket.Poll(0, SelectMode.SelectRead);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return true;
        }
    }

    private static bool Shows(Func<object?> look)
    {
        try
        {
            look();
            return true;
        }
        catch (MissingMemberException)
        {
            return false;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Connector")]
    private static extern NpgsqlConnector? ConnectorOf(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_socket")]
    private static extern ref Socket? SocketOf(NpgsqlConnector connector);
#pragma warning restore NPG9001
}
