using System.Net.Sockets;
using System.Threading.Channels;

namespace ReplicaRouter.Testing.Faults;

/// <summary>Moves the bytes of one direction. Receives and delivers in separate loops, so that latency costs no throughput.</summary>
internal sealed class Pump(Socket from, Socket to, FaultDirection direction, ProxiedConnection connection, FaultState faults)
{
    private const int ChunkSize = 16 * 1024;
    private const int SlicesPerSecond = 50;
    private static readonly TimeProvider s_time = PreciseTime.Of(TimeProvider.System);
    private readonly Channel<Chunk> _inFlight = Channel.CreateBounded<Chunk>(64);
    private ByteCut? _cut;
    private long _leftBeforeCut;

    internal Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(ReceiveAsync(cancellationToken), DeliverAsync(cancellationToken));

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            var buffer = new byte[ChunkSize];
            while (true)
            {
                var count = await from.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
                if (count == 0) break;
                connection.NoteActivity();
                var chunk = new Chunk(buffer.AsMemory(0, count).ToArray(), TimeProvider.System.GetTimestamp(), Random.Shared.NextDouble());
                await _inFlight.Writer.WriteAsync(chunk, cancellationToken).ConfigureAwait(false);
            }
            _inFlight.Writer.Complete();
        }
        catch (SocketException broken)
        {
            // Passes the break on in order, after everything received before it.
            _inFlight.Writer.Complete(broken);
        }
    }

    private async Task DeliverAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var chunk in _inFlight.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                await AwaitLatencyAsync(chunk, cancellationToken).ConfigureAwait(false);
                if (!DropsNow()) await SendAsync(chunk.Bytes, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (SocketException) when (DropsNow())
        {
            // Not even the break gets through.
        }
        catch (SocketException)
        {
            // Reset at once: the other direction can be waiting for a client that itself waits for an answer.
            connection.Reset();
            return;
        }

        // The client is gone, and gets nothing any more. Reset the server's side, which no one else would end.
        if (connection.IsForgotten && direction == FaultDirection.ToServer) connection.Reset();
        if (connection.IsForgotten) return;
        if (DropsNow()) await faults.Current.Superseded.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (connection.HasLostBytes) connection.Reset();
        else to.Shutdown(SocketShutdown.Send);
    }

    private async Task AwaitLatencyAsync(Chunk chunk, CancellationToken cancellationToken)
    {
        while (true)
        {
            var snapshot = faults.Current;
            var left = snapshot.Settings.Latency + (snapshot.Settings.Jitter * chunk.Chance) - TimeProvider.System.GetElapsedTime(chunk.Received);
            if (left <= TimeSpan.Zero) return;
            // Timers truncate to whole milliseconds: a shorter pause would be zero, and this loop would spin.
            var pause = Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), s_time, cancellationToken);
            await Task.WhenAny(pause, snapshot.Superseded).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private bool DropsNow()
    {
        if (connection.IsForgotten) return true;
        var snapshot = faults.Current;
        var drops = snapshot.Settings.Dropped.HasFlag(direction);
        if (drops) connection.LoseBytes();
        // If the proxy was healed between reading the snapshot and recording the loss, its own reset may have missed this connection.
        if (connection.HasLostBytes && (!drops || (snapshot.Superseded.IsCompleted && !faults.Current.Settings.Dropped.HasFlag(direction)))
            && faults.Current.Settings.Dropped == FaultDirection.None)
            connection.Reset();
        return drops;
    }

    private async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
        {
            var snapshot = faults.Current;
            var slice = bytes.Length;
            if (snapshot.Settings.BytesPerSecond is { } rate) slice = Math.Min(slice, Math.Max(1, rate / SlicesPerSecond));
            if (CutApplies(snapshot.Settings.Cut)) slice = (int)Math.Min(slice, _leftBeforeCut);
            for (var sent = 0; sent < slice;)
                sent += await to.SendAsync(bytes[sent..slice], cancellationToken).ConfigureAwait(false);
            bytes = bytes[slice..];
            if (_cut is not null && (_leftBeforeCut -= slice) == 0) connection.Reset();
            cancellationToken.ThrowIfCancellationRequested();
            if (snapshot.Settings.BytesPerSecond is not { } pace) continue;
            var pause = Task.Delay(TimeSpan.FromSeconds((double)slice / pace), s_time, cancellationToken);
            await Task.WhenAny(pause, snapshot.Superseded).ConfigureAwait(false);
        }
    }

    private bool CutApplies(ByteCut? cut)
    {
        if (cut is not null && !cut.Direction.HasFlag(direction)) cut = null;
        if (cut != _cut) (_cut, _leftBeforeCut) = (cut, cut?.Bytes ?? 0);
        return _cut is not null;
    }

    private readonly record struct Chunk(byte[] Bytes, long Received, double Chance);
}
