using System.Collections.Concurrent;
using System.Diagnostics;
using ReplicaRouter.Benchmarks.Loads;

namespace ReplicaRouter.Benchmarks.Overload;

/// <summary>Operations that arrive independently of earlier ones, at an adjustable rate, until disposal.</summary>
/// <inheritdoc cref="OpenLoop" path="/remarks"/>
internal sealed class OpenLoad : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(20);

    private readonly Func<CancellationToken, Task> _operate;
    private readonly Random _random;
    private readonly CancellationTokenSource _end;
    private readonly ConcurrentQueue<Arrival> _arrivals = new();
    private readonly Task _dispatching;
    private double _rate;
    private int _underWay;

    /// <param name="operate">One operation.</param>
    /// <param name="rate">Average arrivals per second; the gaps between them are exponentially distributed.</param>
    /// <param name="seed">Equal seeds give equal arrivals.</param>
    /// <param name="ct">Ends the load.</param>
    public OpenLoad(Func<CancellationToken, Task> operate, double rate, int seed, CancellationToken ct)
    {
        (_operate, _rate, _random) = (operate, rate, new Random(seed));
        _end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        // A dedicated thread, as the pool's threads can be busy with the measured work.
        _dispatching = Task.Factory.StartNew(Dispatch, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Arrivals per second.</summary>
    public double Rate
    {
        get => Volatile.Read(ref _rate);
        set => Volatile.Write(ref _rate, value);
    }

    /// <summary>Returns the completed operations that were due in an interval.</summary>
    public List<Arrival> Between(long from, long to) => [.. _arrivals.Where(arrival => arrival.Due >= from && arrival.Due < to)];

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _dispatching;
        var since = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref _underWay) > 0 && Stopwatch.GetElapsedTime(since) < s_patience) await Task.Delay(s_look);
        if (Volatile.Read(ref _underWay) == 0) _end.Dispose();
    }

    private void Dispatch()
    {
        for (var due = Stopwatch.GetTimestamp(); !_end.IsCancellationRequested; due += (long)(-Math.Log(1 - _random.NextDouble()) / Rate * Stopwatch.Frequency))
        {
            Sleep.Until(due);
            var at = due;
            Interlocked.Increment(ref _underWay);
            _ = Task.Run(() => OperateAsync(at));
        }
    }

    private async Task OperateAsync(long due)
    {
        var isAnswered = false;
        try
        {
            await _operate(_end.Token);
            isAnswered = true;
        }
        catch (Exception)
        {
            // Counts as not answered, whether it was refused or failed.
        }
        finally
        {
            _arrivals.Enqueue(new Arrival(due, Stopwatch.GetTimestamp(), isAnswered));
            Interlocked.Decrement(ref _underWay);
        }
    }
}
