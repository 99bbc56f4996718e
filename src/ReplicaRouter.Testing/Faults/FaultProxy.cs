using ReplicaRouter.Testing.Faults;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Testing;

/// <summary>A TCP proxy on a free port of 127.0.0.1 whose faults are switched while it runs. A fault holds for connections that
/// are open and for new ones, until <see cref="Heal"/>; several may hold at once.</summary>
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

    /// <summary>The port to connect to, the same for the life of the proxy.</summary>
    public int Port => _listener.Port;

    /// <summary>Client connections that are open.</summary>
    public int ActiveConnections => _listener.Connections.Count;

    /// <summary>Client connections accepted since the start.</summary>
    public long AcceptedConnections => Interlocked.Read(ref _accepted);

    /// <summary>Starts a proxy without faults.</summary>
    /// <param name="host">The server's name or address. A connection that can't be made to it is reset.</param>
    /// <param name="port">The server's port.</param>
    public static FaultProxy Start(string host, int port)
    {
        var proxy = new FaultProxy(host, port);
        proxy._listener.Listen();
        return proxy;
    }

    /// <summary>Delays what goes through, each way, in order and without loss of throughput.</summary>
    /// <param name="latency">Added to each piece of data.</param>
    /// <param name="jitter">Added at random on top, from zero up to this. Default zero.</param>
    public void Delay(TimeSpan latency, TimeSpan jitter = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(latency, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(jitter, TimeSpan.Zero);
        _faults.Change(faults => faults with { Latency = latency, Jitter = jitter });
    }

    /// <summary>Limits each connection, each way.</summary>
    /// <param name="bytesPerSecond">1 or more.</param>
    public void Throttle(int bytesPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytesPerSecond, 1);
        _faults.Change(faults => faults with { BytesPerSecond = bytesPerSecond });
    }

    /// <summary>Loses all bytes that go one way, and the end of the connection with them. Connections that lost bytes are reset by <see cref="Heal"/>.</summary>
    public void Drop(FaultDirection direction) => _faults.Change(faults => faults with { Dropped = direction });

    /// <summary>A black hole: connections are accepted, and nothing comes through either way.</summary>
    public void Silence() => Drop(FaultDirection.Both);

    /// <summary>Resets each connection as soon as this many further bytes have gone one way.</summary>
    /// <param name="bytes">Bytes that still come through; zero resets at the next one.</param>
    /// <param name="direction">Which way they are counted; with <see cref="FaultDirection.Both"/> each way for itself.</param>
    public void CutAfter(long bytes, FaultDirection direction)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        _faults.Change(faults => faults with { Cut = new(bytes, direction) });
    }

    /// <summary>Refuses new connections (the port is closed). Open ones go on.</summary>
    public void Refuse() => _listener.Refuse();

    /// <summary>Resets (RST) the connections that are open now.</summary>
    public void Reset() => _listener.Reset();

    /// <summary>Ends the connections that are idle now with FIN, both ways, as a load balancer does.</summary>
    /// <param name="idleFor">Time for which nothing has come from either end.</param>
    public void FinishIdle(TimeSpan idleFor) => ForEachIdle(idleFor, connection => connection.Finish());

    /// <summary>Resets (RST) the connections that are idle now, both ways.</summary>
    /// <inheritdoc cref="FinishIdle" path="/param"/>
    public void ResetIdle(TimeSpan idleFor) => ForEachIdle(idleFor, connection => connection.Reset());

    /// <summary>
    /// Forgets the connections that are idle now, as a firewall does: whatever is sent over them is lost, for as long as they live, and neither end hears
    /// of it. New connections come through. <see cref="Heal"/> does not bring them back.
    /// </summary>
    /// <inheritdoc cref="FinishIdle" path="/param"/>
    public void ForgetIdle(TimeSpan idleFor) => ForEachIdle(idleFor, connection => connection.Forget());

    /// <summary>Ends all faults.</summary>
    public void Heal()
    {
        _faults.Change(_ => FaultSettings.None);
        foreach (var connection in _listener.Connections.Where(connection => connection.HasLostBytes)) connection.Reset();
        _listener.Listen();
    }

    /// <summary>Closes the port and resets what is open.</summary>
    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private void ForEachIdle(TimeSpan idleFor, Action<ProxiedConnection> end)
    {
        foreach (var connection in _listener.Connections.Where(connection => connection.IsIdle(idleFor))) end(connection);
    }
}
