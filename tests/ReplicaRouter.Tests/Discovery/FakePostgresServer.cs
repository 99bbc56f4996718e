using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ReplicaRouter.Tests.Discovery;

/// <summary>A server that offers no TLS, sends the test's authentication requests, and records what it receives.</summary>
/// <remarks>Source: PostgreSQL manual, "Message Formats".</remarks>
internal sealed class FakePostgresServer : IAsyncDisposable
{
    private const int RequestCodes = 1234;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<string, byte[]>[] _requests;
    private readonly List<byte> _received = [];
    private readonly Task _loop;
    private int _asked;

    /// <param name="requests">Return the bodies of the authentication requests, starting with the method's number. Each gets the client's response to the previous one.</param>
    public FakePostgresServer(params Func<string, byte[]>[] requests)
    {
        _requests = requests;
        _listener.Start();
        _loop = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Number of logins it has requested.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>Everything received after the first authentication request.</summary>
    public string Received
    {
        get
        {
            lock (_received) return Encoding.Latin1.GetString([.. _received]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _loop;
    }

    private async Task ServeAsync()
    {
        List<Task> open = [];
        try
        {
            while (true) open.Add(AnswerAsync(await _listener.AcceptTcpClientAsync()));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped by DisposeAsync.
        }

        await Task.WhenAll(open);
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using var _ = client;
        var stream = client.GetStream();
        try
        {
            while (await IsEncryptionAskedForAsync(stream)) await stream.WriteAsync("N"u8.ToArray());
            Interlocked.Increment(ref _asked);
            var received = "";
            foreach (var request in _requests)
            {
                var body = request(received);
                await stream.WriteAsync((byte[])[(byte)'R', 0, 0, 0, (byte)(4 + body.Length), .. body]);
                received = await ReceiveAsync(stream);
            }

            while (received.Length > 0) received = await ReceiveAsync(stream);
        }
        catch (IOException)
        {
            // The client closed the connection.
        }
    }

    private async Task<string> ReceiveAsync(NetworkStream stream)
    {
        var buffer = new byte[1024];
        var count = await stream.ReadAsync(buffer);
        lock (_received) _received.AddRange(buffer.AsSpan(0, count));
        return Encoding.Latin1.GetString(buffer, 0, count);
    }

    private static async Task<bool> IsEncryptionAskedForAsync(NetworkStream stream)
    {
        var head = new byte[8];
        await stream.ReadExactlyAsync(head);
        var rest = new byte[BinaryPrimitives.ReadInt32BigEndian(head) - head.Length];
        await stream.ReadExactlyAsync(rest);
        return BinaryPrimitives.ReadInt16BigEndian(head.AsSpan(4)) == RequestCodes;
    }
}
