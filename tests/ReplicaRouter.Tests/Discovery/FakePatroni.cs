using System.Net;
using System.Text;

namespace ReplicaRouter.Tests.Discovery;

/// <summary>The REST API of a Patroni member; the test sets its answer.</summary>
internal sealed class FakePatroni : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _loop;
    private int _questions;

    public FakePatroni()
    {
        Url = new Uri($"http://127.0.0.1:{FreePort()}/");
        _listener.Prefixes.Add(Url.ToString());
        _listener.Start();
        _loop = AnswerAsync();
    }

    public Uri Url { get; }

    public string Answer { get; set; } = "{}";

    public string? Authorization { get; private set; }

    public int Questions => Volatile.Read(ref _questions);

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _loop;
    }

    private static int FreePort()
    {
        using var socket = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    private async Task AnswerAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                Interlocked.Increment(ref _questions);
                Authorization = context.Request.Headers["Authorization"];
                if (context.Request.RawUrl != "/cluster") context.Response.StatusCode = 404;
                context.Response.Close(Encoding.UTF8.GetBytes(Answer), willBlock: false);
            }
        }
        catch (Exception closed) when (closed is ObjectDisposedException or HttpListenerException)
        {
            // Closed by DisposeAsync, possibly while a request is being answered.
        }
    }
}
