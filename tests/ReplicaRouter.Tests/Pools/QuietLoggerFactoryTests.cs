using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Tests.Pools;

/// <summary>What Npgsql logs of the router's own commands on callers' connections goes to Debug, and nothing else does.</summary>
public sealed class QuietLoggerFactoryTests
{
    [Theory]
    [InlineData(LogLevel.Debug, LogLevel.Debug)]
    [InlineData(LogLevel.Information, LogLevel.Debug)]
    [InlineData(LogLevel.Warning, LogLevel.Warning)]
    [InlineData(LogLevel.Error, LogLevel.Error)]
    public void Of_the_routers_own_commands_only_what_is_at_Information_is_logged_at_another_level(LogLevel level, LogLevel logged) =>
        Assert.Equal([(logged, "asked")], Logged(isOwn: true, LogLevel.Trace, level));

    [Theory]
    [InlineData(LogLevel.Information, true)]
    [InlineData(LogLevel.Debug, false)]
    public void A_callers_commands_are_logged_as_they_are(LogLevel level, bool isInFlow) =>
        Assert.Equal([(level, "asked")], Logged(isOwn: false, LogLevel.Trace, level, isInFlow ? new CommandFlow() : null));

    [Fact]
    public void Where_Debug_is_off_the_routers_own_commands_are_not_logged_and_no_text_is_made_for_them()
    {
        Assert.Empty(Logged(isOwn: true, LogLevel.Information, LogLevel.Information));
        Assert.Equal([(LogLevel.Warning, "asked")], Logged(isOwn: true, LogLevel.Information, LogLevel.Warning));
        Assert.Equal([(LogLevel.Information, "asked")], Logged(isOwn: false, LogLevel.Information, LogLevel.Information));
    }

    /// <summary>Logs as Npgsql does, which asks before whether it is worth its while.</summary>
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
            // Code that does not ask comes to the same.
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
