using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Pools;

/// <summary>Forwards Npgsql's log. Logs the router's own commands at Debug instead of Information, unlike callers' commands on the same connections.</summary>
internal sealed class QuietLoggerFactory(ILoggerFactory inner) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new QuietLogger(inner.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    public void Dispose() { }

    private sealed class QuietLogger(ILogger inner) : ILogger
    {
        private static bool IsOwn => ReferenceEquals(CommandFlow.Current.Value, CommandFlow.Uncounted);

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel) && (logLevel != LogLevel.Information || !IsOwn || inner.IsEnabled(LogLevel.Debug));

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var level = logLevel == LogLevel.Information && IsOwn ? LogLevel.Debug : logLevel;
            if (inner.IsEnabled(level)) inner.Log(level, eventId, state, exception, formatter);
        }
    }
}
