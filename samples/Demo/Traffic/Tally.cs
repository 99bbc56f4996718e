using System.Collections.Concurrent;
using Accounting.Database;
using ReplicaRouter;
using ReplicaRouter.Testing;

namespace Demo.Traffic;

/// <summary>Counts what really happened: which server answered each operation, by the port that the server itself told.</summary>
internal sealed class Tally(IReadOnlyList<LocalServer> servers)
{
    private readonly Dictionary<int, string> _hosts = servers.ToDictionary(server => server.Port, server => server.Name);
    private readonly ConcurrentDictionary<(string Host, DatabaseOperation Operation), long> _answers = new();
    private readonly ConcurrentDictionary<string, long> _errors = new();
    private long _staleReads;

    /// <summary>The servers' names, also of those that answered nothing.</summary>
    public IReadOnlyList<string> Hosts { get; } = [.. servers.Select(server => server.Name)];

    public long StaleReads => Interlocked.Read(ref _staleReads);

    /// <summary>Operations that threw, by operation and message.</summary>
    public IReadOnlyDictionary<string, long> Errors => _errors;

    public long this[string host, DatabaseOperation operation] => _answers.GetValueOrDefault((host, operation));

    public long Total(DatabaseOperation operation) => _answers.Where(answer => answer.Key.Operation == operation).Sum(answer => answer.Value);

    /// <summary>Runs one operation and counts the server that answered it, or the error.</summary>
    /// <returns>Whether it succeeded, and its result.</returns>
    public async Task<(bool Succeeded, T? Result)> CountAsync<T>(DatabaseOperation operation, Func<Task<T>> run)
    {
        using var servedBy = ServedBy.Capture();
        try
        {
            var result = await run();
            // An operation that was retried ends where its last statement was answered.
            _answers.AddOrUpdate((HostOf(servedBy.Ports[^1]), operation), 1, (_, count) => count + 1);
            return (true, result);
        }
        catch (Exception e)
        {
            _errors.AddOrUpdate($"{operation}: {e.GetType().Name}: {e.Message}", 1, (_, count) => count + 1);
            return (false, default);
        }
    }

    /// <summary>Counts a read that answered an older state than the write before it had acknowledged.</summary>
    public void CountStaleRead() => Interlocked.Increment(ref _staleReads);

    private string HostOf(int port) => _hosts.TryGetValue(port, out var name) ? name : $"port {port}";
}
