using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ReplicaRouter.ClusterTests.Failures;

/// <summary>A listener in a server's place that answers any message with the same bytes and closes the connection.</summary>
internal sealed class FakeListener : IAsyncDisposable
{
    /// <summary>What a postmaster sends when it can't fork a process: an error of protocol 2, which has no length. Read as protocol 3, it announces 1.6 GB.</summary>
    public static readonly byte[] NoProcess = Encoding.ASCII.GetBytes("Ecould not fork new process for connection: Cannot allocate memory\n\0");

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly byte[] _answer;
    private readonly Task _loop;
    private int _accepted;

    public FakeListener(byte[] answer)
    {
        _answer = answer;
        _listener.Start();
        _loop = RunAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Accepted => Volatile.Read(ref _accepted);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            using var client = await _listener.AcceptSocketAsync(_stop.Token);
            Interlocked.Increment(ref _accepted);
            await client.ReceiveAsync(new byte[1024], _stop.Token);
            await client.SendAsync(_answer, _stop.Token);
        }
    }
}
