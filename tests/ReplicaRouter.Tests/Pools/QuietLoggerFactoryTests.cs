using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Tests.Pools;

/// <summary>Npgsql's entries about the router's own commands on callers' connections go to Debug; all others keep their level.</summary>
public sealed class QuietLoggerFactoryTests
{
    [Theory]
    [InlineData(LogLevel.Debug, LogLevel.Debug)]
    [InlineData(LogLevel.Information, LogLevel.Debug)]
    [InlineData(LogLevel.Warning, LogLevel.Warning)]
    [InlineData(LogLevel.Error, LogLevel.Error)]
    public void Only_Information_entries_of_the_routers_own_commands_change_level(LogLevel level, LogLevel logged) =>
        Assert.Equal([(logged, "asked")], Logged(isOwn: true, LogLevel.Trace, level));

    [Theory]
    [InlineData(LogLevel.Information, true)]
    [InlineData(LogLevel.Debug, false)]
    public void A_callers_commands_keep_their_log_level(LogLevel level, bool isInFlow) =>
        Assert.Equal([(level, "asked")], Logged(isOwn: false, LogLevel.Trace, level, isInFlow ? new CommandFlow() : null));

    [Fact]
    public void Without_Debug_the_routers_own_commands_are_neither_logged_nor_formatted()
    {
        Assert.Empty(Logged(isOwn: true, LogLevel.Information, LogLevel.Information));
        Assert.Equal([(LogLevel.Warning, "asked")], Logged(isOwn: true, LogLevel.Information, LogLevel.Warning));
        Assert.Equal([(LogLevel.Information, "asked")], Logged(isOwn: false, LogLevel.Information, LogLevel.Information));
    }

    /// <summary>Logs as Npgsql does, which checks <see cref="ILogger.IsEnabled"/> first.</summary>
    private static List<(LogLevel Level, string Text)> Logged(bool isOwn, LogLevel least, LogLevel level, CommandFlow? flow = null)
    {
        var inner = new LevelLogger(least);
        using var quiet = new QuietLoggerFactory(inner);
        var logger = quiet.CreateLogger("Npgsql.Command");
        var before = CommandFlow.Current.Value;
        CommandFlow.Current.Value = isOwn ? CommandFlow.Uncounted : flow;
        try
        {
            if (logger.IsEnabled(level)) logger.Log(level, default, "asked", null, (text, _) => text);
            List<(LogLevel, string)> asked = [.. inner.Entries];
            inner.Entries.Clear();
            // Code that skips the check gets the same result.
            logger.Log(level, default, "asked", null, (text, _) => text);
            Assert.Equal(asked, inner.Entries);
            return asked;
        }
        finally
        {
            CommandFlow.Current.Value = before;
        }
    }

    private sealed class LevelLogger(LogLevel least) : ILoggerFactory, ILogger
    {
        public List<(LogLevel Level, string Text)> Entries { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) { }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Entries.Add((logLevel, formatter(state, exception)));

        public void Dispose() { }
    }
}
