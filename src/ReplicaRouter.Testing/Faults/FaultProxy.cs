using ReplicaRouter.Testing.Faults;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Testing;

/// <summary>A TCP proxy on a free port of 127.0.0.1 whose faults can be switched while it runs. A fault applies to open and new
/// connections until <see cref="Heal"/>. Several faults can apply at once.</summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly FaultState _faults = new();
    private readonly LoopbackListener<ProxiedConnection> _listener;
    private long _accepted;

    private FaultProxy(string host, int port) => _listener = new(
        LoopbackPort.Any(),
        client =>
        {
            Interlocked.Increment(ref _accepted);
            return new ProxiedConnection(client, _faults);
        },
        connection => connection.RunAsync(host, port),
        connection => connection.Reset());

    /// <summary>The port to connect to. It stays the same for the life of the proxy.</summary>
    public int Port => _listener.Port;

    /// <summary>Number of open client connections.</summary>
    public int ActiveConnections => _listener.Connections.Count;

    /// <summary>Number of client connections accepted since the start.</summary>
    public long AcceptedConnections => Interlocked.Read(ref _accepted);

    /// <summary>Starts a proxy without faults.</summary>
    /// <param name="host">The server's name or address. If the proxy cannot connect to it, it resets the client's connection.</param>
    /// <param name="port">The server's port.</param>
    public static FaultProxy Start(string host, int port)
    {
        var proxy = new FaultProxy(host, port);
        proxy._listener.Listen();
        return proxy;
    }

    /// <summary>Delays the data in each direction, in order and without loss of throughput.</summary>
    /// <param name="latency">Delay of each piece of data.</param>
    /// <param name="jitter">Most random delay added to it. Default zero.</param>
    public void Delay(TimeSpan latency, TimeSpan jitter = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(latency, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(jitter, TimeSpan.Zero);
        _faults.Change(faults => faults with { Latency = latency, Jitter = jitter });
    }

    /// <summary>Limits the throughput of each connection, in each direction.</summary>
    /// <param name="bytesPerSecond">1 or more.</param>
    public void Throttle(int bytesPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytesPerSecond, 1);
        _faults.Change(faults => faults with { BytesPerSecond = bytesPerSecond });
    }

    /// <summary>Loses all bytes in one direction, and the end of the connection with them. <see cref="Heal"/> resets connections that lost bytes.</summary>
    public void Drop(FaultDirection direction) => _faults.Change(faults => faults with { Dropped = direction });

    /// <summary>Becomes a black hole: accepts connections, but nothing gets through in either direction.</summary>
    public void Silence() => Drop(FaultDirection.Both);

    /// <summary>Resets each connection once this many further bytes have passed in one direction.</summary>
    /// <param name="bytes">Bytes that still get through; zero resets at the next one.</param>
    /// <param name="direction">The direction to count; <see cref="FaultDirection.Both"/> counts each direction separately.</param>
    public void CutAfter(long bytes, FaultDirection direction)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        _faults.Change(faults => faults with { Cut = new(bytes, direction) });
    }

    /// <summary>Refuses new connections by closing the port. Open connections stay open.</summary>
    public void Refuse() => _listener.Refuse();

    /// <summary>Resets (RST) the connections that are open now.</summary>
    public void Reset() => _listener.Reset();

    /// <summary>Ends the connections that are idle now with FIN, in both directions, as a load balancer does.</summary>
    /// <param name="idleFor">How long nothing must have arrived from either end.</param>
    public void FinishIdle(TimeSpan idleFor) => ForEachIdle(idleFor, connection => connection.Finish());

    /// <summary>Resets (RST) the connections that are idle now, in both directions.</summary>
    /// <inheritdoc cref="FinishIdle" path="/param"/>
    public void ResetIdle(TimeSpan idleFor) => ForEachIdle(idleFor, connection => connection.Reset());

    /// <summary>
    /// Forgets the connections that are idle now, as a firewall does: everything sent over them is lost for the rest of their life, without notice to
    /// either end. New connections get through. <see cref="Heal"/> does not bring forgotten ones back.
    /// </summary>
    /// <inheritdoc cref="FinishIdle" path="/param"/>
    public void ForgetIdle(TimeSpan idleFor) => ForEachIdle(idleFor, connection => connection.Forget());

    /// <summary>Ends all faults, resets connections that lost bytes, and opens the port again.</summary>
    public void Heal()
    {
        _faults.Change(_ => FaultSettings.None);
        foreach (var connection in _listener.Connections.Where(connection => connection.HasLostBytes)) connection.Reset();
        _listener.Listen();
    }

    /// <summary>Closes the port and resets the open connections.</summary>
    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private void ForEachIdle(TimeSpan idleFor, Action<ProxiedConnection> end)
    {
        foreach (var connection in _listener.Connections.Where(connection => connection.IsIdle(idleFor))) end(connection);
    }
}
