using System.Collections.Concurrent;
using System.Diagnostics;
using HdrHistogram;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Loads;

/// <summary>What came of a load: how long its operations took, and who served them.</summary>
/// <param name="servers">The servers that may serve.</param>
internal sealed class Tally(IReadOnlyList<LocalServer> servers)
{
    private const long Longest = 120_000_000;
    private readonly LongConcurrentHistogram _microseconds = new(1, Longest, numberOfSignificantValueDigits: 3);
    private readonly int[] _ports = [.. servers.Select(server => server.Port)];
    private readonly long[] _served = new long[servers.Count];
    private readonly ConcurrentDictionary<string, int> _errors = new();

    /// <summary>Operations that were answered.</summary>
    public long Operations => _microseconds.TotalCount;

    /// <summary>Operations that failed, by what was said.</summary>
    public IReadOnlyDictionary<string, int> Errors => _errors;

    /// <summary>A percentile of the time to an answer, in ms; 0 without any.</summary>
    public double Percentile(double percent) => _microseconds.TotalCount == 0 ? 0 : _microseconds.GetValueAtPercentile(percent) / 1000.0;

    /// <summary>Operations that a server answered.</summary>
    public long ServedBy(LocalServer server) => Volatile.Read(ref _served[Array.IndexOf(_ports, server.Port)]);

    /// <summary>Of all answers, those of these servers; 0 to 1.</summary>
    public double ShareOf(IEnumerable<LocalServer> few) => Operations == 0 ? 0 : (double)few.Sum(ServedBy) / Operations;

    /// <summary>Runs an operation and takes note of it.</summary>
    /// <param name="operate">It, and the port of the server that answered.</param>
    /// <param name="startedAt">When it was to start: what it waited for before that counts.</param>
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

    /// <summary>Counts an operation with the time up to now. One that is not over counts as if it were: it takes at least as long.</summary>
    public void Took(long startedAt) => _microseconds.RecordValue(Math.Clamp((long)Stopwatch.GetElapsedTime(startedAt).TotalMicroseconds, 1, Longest));

    private static string Describe(Exception failed) => failed switch
    {
        PostgresException postgres => $"{postgres.SqlState} {postgres.MessageText}",
        { InnerException: { } inner } => $"{failed.GetType().Name} ({Describe(inner)})",
        _ => $"{failed.GetType().Name}: {failed.Message}",
    };
}
