using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ReplicaRouter.Tests.Discovery;

/// <summary>A server that offers no TLS, asks for the password as the test says, and keeps what it gets.</summary>
/// <remarks>Source: PostgreSQL manual, "Message Formats".</remarks>
internal sealed class FakePostgresServer : IAsyncDisposable
{
    private const int RequestCodes = 1234;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<string, byte[]>[] _requests;
    private readonly List<byte> _received = [];
    private readonly Task _loop;
    private int _asked;

    /// <param name="requests">The bodies of its authentication requests, from the method's number on, each after what the client has sent in answer to the last one.</param>
    public FakePostgresServer(params Func<string, byte[]>[] requests)
    {
        _requests = requests;
        _listener.Start();
        _loop = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How often it has asked for a login.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>All that came after it had asked.</summary>
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
            // By DisposeAsync.
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
            // The client is gone.
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
