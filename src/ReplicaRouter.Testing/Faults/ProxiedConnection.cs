using System.Net.Sockets;

namespace ReplicaRouter.Testing.Faults;

/// <summary>A client's connection, and the proxy's connection to the server.</summary>
internal sealed class ProxiedConnection(Socket client, FaultState faults) : IDisposable
{
    private readonly Socket _server = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly CancellationTokenSource _end = new();
    private int _hasLostBytes;
    private int _isForgotten;
    private long _activeAt = TimeProvider.System.GetTimestamp();

    /// <summary>Whether bytes were dropped. The stream then has a gap, so the connection must be reset once the fault ends.</summary>
    internal bool HasLostBytes => Volatile.Read(ref _hasLostBytes) != 0;

    /// <summary>Whether nothing gets through any more, in either direction, without notice to either end.</summary>
    internal bool IsForgotten => Volatile.Read(ref _isForgotten) != 0;

    /// <summary>Returns whether nothing has arrived from either end for some time.</summary>
    internal bool IsIdle(TimeSpan time) => TimeProvider.System.GetElapsedTime(Volatile.Read(ref _activeAt)) >= time;

    internal void NoteActivity() => Volatile.Write(ref _activeAt, TimeProvider.System.GetTimestamp());

    internal void Forget() => Interlocked.Exchange(ref _isForgotten, 1);

    internal async Task RunAsync(string host, int port)
    {
        try
        {
            var opened = faults.Current;
            if (opened.Settings.Dropped.HasFlag(FaultDirection.ToServer))
            {
                // A server behind a black hole does not see new connections.
                LoseBytes();
                await opened.Superseded.WaitAsync(_end.Token).ConfigureAwait(false);
                while (faults.Current is { Settings.Dropped: not FaultDirection.None } still)
                    await still.Superseded.WaitAsync(_end.Token).ConfigureAwait(false);
                Reset();
                return;
            }
            await _server.ConnectAsync(host, port, _end.Token).ConfigureAwait(false);
            await Task.WhenAll(
                new Pump(client, _server, FaultDirection.ToServer, this, faults).RunAsync(_end.Token),
                new Pump(_server, client, FaultDirection.ToClient, this, faults).RunAsync(_end.Token)).ConfigureAwait(false);
        }
        catch (Exception end) when (end is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            Reset();
        }
    }

    internal void LoseBytes() => Interlocked.Exchange(ref _hasLostBytes, 1);

    /// <summary>Ends both sides with FIN.</summary>
    internal void Finish()
    {
        foreach (var socket in (ReadOnlySpan<Socket>)[client, _server])
        {
            try
            {
                socket.Shutdown(SocketShutdown.Send);
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
            {
                // The connection has already ended.
            }
        }
    }

    /// <summary>Ends both sides with RST. On return, the client's has been sent.</summary>
    internal void Reset()
    {
        foreach (var socket in (ReadOnlySpan<Socket>)[client, _server])
        {
            try
            {
                socket.LingerState = new(enable: true, seconds: 0);
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
            {
                // Closed by the other pump: nothing is left to reset.
            }
            socket.Dispose();
        }

        // Cancel last: a cancelled pump also closes the sockets, and this method would not wait for that.
        _end.Cancel();
    }

    public void Dispose()
    {
        client.Dispose();
        _server.Dispose();
    }
}
