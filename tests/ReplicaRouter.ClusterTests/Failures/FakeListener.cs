using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ReplicaRouter.ClusterTests.Failures;

/// <summary>Something that listens where a server should, and answers whatever comes by the same bytes before it hangs up.</summary>
internal sealed class FakeListener : IAsyncDisposable
{
    /// <summary>What a postmaster sends that can't start a process, by a protocol of its youth without a length: read by today's protocol, it announces 1.6 GB.</summary>
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
