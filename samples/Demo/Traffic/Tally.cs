using System.Collections.Concurrent;
using Accounting.Database;
using ReplicaRouter;
using ReplicaRouter.Testing;

namespace Demo.Traffic;

/// <summary>Counts which server really answered each operation, by the port that the server itself reports.</summary>
internal sealed class Tally(IReadOnlyList<LocalServer> servers)
{
    private readonly Dictionary<int, string> _hosts = servers.ToDictionary(server => server.Port, server => server.Name);
    private readonly ConcurrentDictionary<(string Host, DatabaseOperation Operation), long> _answers = new();
    private readonly ConcurrentDictionary<string, long> _errors = new();
    private long _staleReads;

    /// <summary>The names of all servers, including those that answered nothing.</summary>
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
            // A retried operation counts for the server that answered its last statement.
            _answers.AddOrUpdate((HostOf(servedBy.Ports[^1]), operation), 1, (_, count) => count + 1);
            return (true, result);
        }
        catch (Exception e)
        {
            _errors.AddOrUpdate($"{operation}: {e.GetType().Name}: {e.Message}", 1, (_, count) => count + 1);
            return (false, default);
        }
    }

    /// <summary>Counts a read that returned a state older than the acknowledged write before it.</summary>
    public void CountStaleRead() => Interlocked.Increment(ref _staleReads);

    private string HostOf(int port) => _hosts.TryGetValue(port, out var name) ? name : $"port {port}";
}
