using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ReplicaRouter.Testing.Processes;

/// <summary>Listens on a port of 127.0.0.1, and serves each connection until it ends.</summary>
/// <param name="port">The port.</param>
/// <param name="connect">Wraps an accepted socket.</param>
/// <param name="serve">Serves a connection, which is disposed afterwards.</param>
/// <param name="reset">Resets (RST) a connection.</param>
internal sealed class LoopbackListener<T>(LoopbackPort port, Func<Socket, T> connect, Func<T, Task> serve, Action<T> reset) : IAsyncDisposable
    where T : class, IDisposable
{
    private readonly ConcurrentDictionary<T, Task> _connections = new();
    private readonly Lock _lock = new();
    private Socket? _listener;
    private Task _accepting = Task.CompletedTask;

    /// <summary>The port. It stays the same once it was first opened.</summary>
    public int Port { get; private set; } = port.Number;

    /// <summary>The open connections.</summary>
    public ICollection<T> Connections => _connections.Keys;

    /// <summary>Closes the port. Open connections stay open.</summary>
    public void Refuse()
    {
        lock (_lock)
        {
            _listener?.Dispose();
            _listener = null;
        }
    }

    /// <summary>Opens the port. Does nothing if it is open.</summary>
    public void Listen()
    {
        lock (_lock)
        {
            if (_listener is not null) return;
            var listener = _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
            listener.Listen();
            Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
            _accepting = AcceptAsync(listener);
        }
    }

    /// <summary>Resets the connections that are open now.</summary>
    public void Reset()
    {
        foreach (var connection in Connections) reset(connection);
    }

    /// <summary>Closes the port, resets the open connections, and releases the port.</summary>
    public async ValueTask DisposeAsync()
    {
        Refuse();
        await _accepting.ConfigureAwait(false);
        Reset();
        await Task.WhenAll(_connections.Values).ConfigureAwait(false);
        port.Dispose();
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync().ConfigureAwait(false);
                client.NoDelay = true;
                Serve(connect(client));
            }
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // Refuse() has closed the port.
        }
    }

    private void Serve(T connection)
    {
        var started = new TaskCompletionSource();
        _connections[connection] = ServeAsync();
        started.SetResult();

        async Task ServeAsync()
        {
            await started.Task.ConfigureAwait(false);
            using (connection) await serve(connection).ConfigureAwait(false);
            _connections.TryRemove(connection, out _);
        }
    }
}
