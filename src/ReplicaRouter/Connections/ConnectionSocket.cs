using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Npgsql;
using Npgsql.Internal;

namespace ReplicaRouter;

/// <summary>The socket beneath an open connection.</summary>
/// <remarks>
/// Npgsql shows no way to look whether an idle connection has been closed by its peer, or to end one that a command waits on. A version of Npgsql that keeps
/// its socket elsewhere costs the look, not the connection: then only asking the server finds out.
/// </remarks>
internal static class ConnectionSocket
{
    private static volatile bool s_isConnectorHidden;
    private static volatile bool s_isSocketHidden;

    /// <returns>The socket; null when Npgsql does not show it, or the connection is closed.</returns>
    public static Socket? Of(NpgsqlConnection connection)
    {
        if (s_isSocketHidden) return null;
        try
        {
            return TryGetConnector(connection) is { } connector ? SocketOf(connector) : null;
        }
        catch (MissingFieldException)
        {
            s_isSocketHidden = true;
            return null;
        }
    }

    /// <summary>An object that belongs to the physical connection of an open connection, and lives as long as it does.</summary>
    public static object OwnerOf(NpgsqlConnection connection) =>
        // The parameters would do as well, but reading them allocates.
        TryGetConnector(connection) ?? (object)connection.PostgresParameters;

    /// <summary>Whether Npgsql shows the physical connection of a connection.</summary>
    public static bool IsShown(NpgsqlConnection connection)
    {
        TryGetConnector(connection);
        return !s_isConnectorHidden;
    }

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

#pragma warning disable NPG9001 // A type whose members may change: it is only passed on here.
    private static NpgsqlConnector? TryGetConnector(NpgsqlConnection connection)
    {
        if (s_isConnectorHidden) return null;
        try
        {
            return ConnectorOf(connection);
        }
        catch (MissingMethodException)
        {
            s_isConnectorHidden = true;
            return null;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Connector")]
    private static extern NpgsqlConnector? ConnectorOf(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_socket")]
    private static extern ref Socket? SocketOf(NpgsqlConnector connector);
#pragma warning restore NPG9001
}
