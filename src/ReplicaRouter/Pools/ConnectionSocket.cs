using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Npgsql;
using Npgsql.Internal;

namespace ReplicaRouter.Pools;

/// <summary>The socket beneath an open connection.</summary>
/// <remarks>
/// Npgsql shows no way to look whether an idle connection has been closed by its peer, or to end one that a command waits on. A version of Npgsql that keeps
/// its socket elsewhere costs the look, not the connection: then only asking the server finds out.
/// </remarks>
internal static class ConnectionSocket
{
#pragma warning disable NPG9001 // A type whose members may change: it is only passed on here.
    private static readonly bool s_showsConnector = Shows(() => ConnectorOf(new NpgsqlConnection()));
    private static readonly bool s_showsSocket = Shows(() => SocketOf((NpgsqlConnector)RuntimeHelpers.GetUninitializedObject(typeof(NpgsqlConnector))));

    /// <summary>Whether Npgsql shows the socket of a connection.</summary>
    public static bool IsShown => s_showsConnector && s_showsSocket;

    /// <returns>The socket; null when Npgsql does not show it, or the connection is closed.</returns>
    public static Socket? Of(NpgsqlConnection connection) => IsShown && ConnectorOf(connection) is { } connector ? SocketOf(connector) : null;

    /// <summary>An object that belongs to the physical connection of an open connection, and lives as long as it does.</summary>
    public static object OwnerOf(NpgsqlConnection connection) =>
        // The parameters would do as well, but reading them allocates.
        s_showsConnector && ConnectorOf(connection) is { } connector ? connector : connection.PostgresParameters;

    /// <summary>Whether the peer has sent something, or has ended the connection. On an idle connection it is usually the end.</summary>
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
