using System.Collections.Concurrent;
using System.Diagnostics;
using HdrHistogram;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Loads;

/// <summary>The results of a load: durations of its operations, and the servers that answered.</summary>
/// <param name="servers">The servers that can answer.</param>
internal sealed class Tally(IReadOnlyList<LocalServer> servers)
{
    private const long Longest = 120_000_000;
    private readonly LongConcurrentHistogram _microseconds = new(1, Longest, numberOfSignificantValueDigits: 3);
    private readonly int[] _ports = [.. servers.Select(server => server.Port)];
    private readonly long[] _served = new long[servers.Count];
    private readonly ConcurrentDictionary<string, int> _errors = new();

    /// <summary>Operations that were answered.</summary>
    public long Operations => _microseconds.TotalCount;

    /// <summary>Counts of failed operations, by error.</summary>
    public IReadOnlyDictionary<string, int> Errors => _errors;

    /// <summary>Returns a percentile of the time to an answer, in ms; 0 without answers.</summary>
    public double Percentile(double percent) => _microseconds.TotalCount == 0 ? 0 : _microseconds.GetValueAtPercentile(percent) / 1000.0;

    /// <summary>Returns the number of operations that a server answered.</summary>
    public long ServedBy(LocalServer server) => Volatile.Read(ref _served[Array.IndexOf(_ports, server.Port)]);

    /// <summary>Returns the share of answers from some servers; 0 to 1.</summary>
    public double ShareOf(IEnumerable<LocalServer> few) => Operations == 0 ? 0 : (double)few.Sum(ServedBy) / Operations;

    /// <summary>Runs an operation and records it.</summary>
    /// <param name="operate">Runs the operation, and returns the port of the server that answered.</param>
    /// <param name="startedAt">When it was due: waiting since then counts.</param>
    /// <param name="ct">Cancels it.</param>
    public async Task MeasureAsync(Func<CancellationToken, Task<int>> operate, long startedAt, CancellationToken ct)
    {
        try
        {
            var port = await operate(ct);
            Took(startedAt);
            var server = Array.IndexOf(_ports, port);
            if (server >= 0) Interlocked.Increment(ref _served[server]);
        }
        catch (Exception failed) when (!ct.IsCancellationRequested)
        {
            _errors.AddOrUpdate(Describe(failed), 1, (_, count) => count + 1);
        }
    }

    /// <summary>Records an operation with its time so far. For one in flight this is a lower bound.</summary>
    public void Took(long startedAt) => _microseconds.RecordValue(Math.Clamp((long)Stopwatch.GetElapsedTime(startedAt).TotalMicroseconds, 1, Longest));

    private static string Describe(Exception failed) => failed switch
    {
        PostgresException postgres => $"{postgres.SqlState} {postgres.MessageText}",
        { InnerException: { } inner } => $"{failed.GetType().Name} ({Describe(inner)})",
        _ => $"{failed.GetType().Name}: {failed.Message}",
    };
}
