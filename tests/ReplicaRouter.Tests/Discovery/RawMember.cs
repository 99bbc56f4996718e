using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ReplicaRouter.Tests.Discovery;

/// <summary>A Patroni member whose raw response the test writes, optionally over TLS.</summary>
internal sealed class RawMember : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2? _certificate;
    private readonly Func<Stream, Task> _answer;
    private readonly Task _loop;

    /// <param name="answer">Writes the response to one request.</param>
    /// <param name="certificate">The certificate with its private key; null for plain HTTP.</param>
    public RawMember(Func<Stream, Task> answer, X509Certificate2? certificate = null)
    {
        (_answer, _certificate) = (answer, certificate);
        _listener.Start();
        _loop = ServeAsync();
    }

    public Uri Url => new($"{(_certificate is null ? "http" : "https")}://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    /// <summary>The request line and headers of each request so far.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public static RawMember Answering(string head, string body = "", X509Certificate2? certificate = null) =>
        new(stream => stream.WriteAsync(Encoding.Latin1.GetBytes($"HTTP/1.1 {head}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}")).AsTask(), certificate);

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
        try
        {
            Stream stream = client.GetStream();
            if (_certificate is not null)
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(_certificate);
                stream = tls;
            }

            await using var __ = stream;
            // A client rejects the certificate only after the server's part of the handshake, so the connection can end here without a request.
            if (await ReadHeadAsync(stream) is not { Length: > 0 } head) return;
            Requests.Enqueue(head);
            await _answer(stream);
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
        {
            // The client closed the connection early.
        }
    }

    private static async Task<string> ReadHeadAsync(Stream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one) > 0) head.Append((char)one[0]);
        return head.ToString();
    }
}
