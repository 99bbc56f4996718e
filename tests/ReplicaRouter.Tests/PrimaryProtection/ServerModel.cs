using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.PrimaryProtection;

/// <summary>A simulated primary, and processes that read from it up to their limits. A command's duration is multiplied by the commands per core when it starts.</summary>
/// <param name="cores">Commands that run at once without slowing each other down.</param>
/// <param name="time">The clock, which <see cref="Run"/> advances.</param>
/// <param name="drawMs">Draws the duration of a command on an idle server, in milliseconds.</param>
internal sealed class ServerModel(int cores, FakeTimeProvider time, Func<Random, double> drawMs)
{
    public const int Reads = 0;
    public const int Writes = 1;

    private readonly Random _random = new(1);
    private readonly PriorityQueue<(Process Process, int Route, double Took), (long At, int Order)> _ends = new();
    private int _order;
    private int _underWay;

    public List<Process> Processes { get; } = [];

    /// <summary>Commands of other clients in flight.</summary>
    public int Others { get; set; }

    public Func<Random, double> DrawMs { get; set; } = drawMs;

    /// <summary>Completed reads.</summary>
    public int Done { get; private set; }

    /// <summary>Adds a process whose writers each send one write after another.</summary>
    public Process Add(ConcurrencyLimit limit, int writers = 0)
    {
        var process = new Process(limit) { Writers = writers };
        Processes.Add(process);
        return process;
    }

    /// <summary>Runs the simulation.</summary>
    /// <param name="length">Simulated time.</param>
    /// <param name="watch">Called after each command that ends.</param>
    public void Run(TimeSpan length, Action? watch = null)
    {
        var end = time.GetTimestamp() + length.Ticks;
        BeginAll();
        while (_ends.TryPeek(out var command, out var due) && due.At <= end)
        {
            _ends.Dequeue();
            time.Advance(TimeSpan.FromTicks(due.At - time.GetTimestamp()));
            End(command.Process, command.Route, command.Took);
            BeginAll();
            watch?.Invoke();
        }

        time.Advance(TimeSpan.FromTicks(end - time.GetTimestamp()));
    }

    private void End(Process process, int route, double took)
    {
        process.Limit.Record(route, took, process.Reading, isHeld: process.Readers > process.Limit.Current);
        _underWay--;
        if (route == Writes)
        {
            process.Writing--;
            return;
        }

        process.Reading--;
        Done++;
    }

    private void BeginAll()
    {
        foreach (var process in Processes)
        {
            for (; process.Reading < Math.Min(process.Readers, process.Limit.Current); process.Reading++) Begin(process, Reads);
            for (; process.Writing < process.Writers; process.Writing++) Begin(process, Writes);
        }
    }

    private void Begin(Process process, int route)
    {
        _underWay++;
        var took = TimeSpan.FromMilliseconds(DrawMs(_random) * Math.Max(1, (double)(_underWay + Others) / cores));
        _ends.Enqueue((process, route, took.TotalMilliseconds), (time.GetTimestamp() + took.Ticks, _order++));
    }

    /// <summary>A process with its concurrency limit.</summary>
    internal sealed class Process(ConcurrencyLimit limit)
    {
        public ConcurrencyLimit Limit => limit;

        /// <summary>Callers that each send one read after another as soon as the limit admits them.</summary>
        public int Readers { get; set; }

        public int Writers { get; set; }
        public int Reading { get; set; }
        public int Writing { get; set; }
    }
}
