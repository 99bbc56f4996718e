using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Tests;

/// <summary>A logger that keeps all entries.</summary>
internal sealed class RecordingLogger : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<(int Id, string Text)> _entries = new();

    /// <summary>The messages of one event id, in order.</summary>
    public IReadOnlyList<string> this[int id] => [.. _entries.Where(entry => entry.Id == id).Select(entry => entry.Text)];

    /// <summary>All messages, in order.</summary>
    public IEnumerable<string> All => _entries.Select(entry => entry.Text);

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) { }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _entries.Enqueue((eventId.Id, formatter(state, exception)));

    public void Dispose() { }
}
