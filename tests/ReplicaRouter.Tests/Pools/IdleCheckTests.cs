using System.Net;
using System.Net.Sockets;

namespace ReplicaRouter.Tests.Pools;

public class IdleCheckTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Failure", "B1")]
    public async Task An_idle_socket_has_news_once_its_peer_has_sent_data_or_closed_it()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        foreach (var end in new Action<Socket>[] { peer => peer.Send("57P05"u8), peer => peer.Shutdown(SocketShutdown.Send), peer => peer.Close(0) })
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(listener.LocalEndPoint!, Ct);
            using var peer = await listener.AcceptAsync(Ct);
            Assert.False(ConnectionSocket.HasNews(socket));
            end(peer);
            Assert.True(SpinWait.SpinUntil(() => ConnectionSocket.HasNews(socket), TimeSpan.FromSeconds(10)));
        }
    }

    [Fact]
    public void A_closed_connection_has_no_socket_and_no_news()
    {
        using var connection = new Npgsql.NpgsqlConnection();
        Assert.Null(ConnectionSocket.Of(connection));
        Assert.False(ConnectionSocket.HasNews(null));
    }
}
