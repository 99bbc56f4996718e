using Demo.Traffic;
using ReplicaRouter;
using Spectre.Console;

namespace Demo.Display;

/// <summary>The demo's display: a table that is redrawn in place on a terminal, and printed periodically otherwise.</summary>
internal sealed class Screen
{
    private static readonly TimeSpan s_redraw = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_reprint = TimeSpan.FromSeconds(5);
    private readonly IAnsiConsole _console;
    private readonly bool _isTerminal;
    private readonly Queue<string> _events = [];
    private bool _isLive;

    private Screen(IAnsiConsole console, bool isTerminal) => (_console, _isTerminal) = (console, isTerminal);

    /// <summary>Returns a screen on standard output, or on standard error if standard output carries JSON.</summary>
    public static Screen For(DemoOptions options)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(options.Json ? Console.Error : Console.Out) });
        var isTerminal = options.Json ? !Console.IsErrorRedirected : !Console.IsOutputRedirected;
        // Without a terminal the library assumes a narrow width, which would wrap every row.
        if (!isTerminal) console.Profile.Width = 160;
        return new Screen(console, isTerminal);
    }

    /// <summary>Shows an event; below the table while the table is live.</summary>
    public void Say(string message)
    {
        lock (_events)
        {
            if (_isLive) _events.Enqueue(message);
            else _console.WriteLine(message);
        }
    }

    /// <summary>Shows the table until the end.</summary>
    public async Task ShowAsync(DatabaseRouter router, Tally tally, TimeProvider time, CancellationToken endToken)
    {
        if (_isTerminal) await ShowLiveAsync(router, tally, time, endToken);
        else await PrintNowAndThenAsync(router, tally, time, endToken);
    }

    public void WriteSummary(Summary summary)
    {
        foreach (var error in summary.ErrorLines) _console.WriteLine(error);
        _console.WriteLine($"{summary.Operations.Values.Sum()} operations, {summary.Errors} errors, {summary.Failovers} failovers, " +
            $"{summary.Fallbacks} fallbacks, {summary.StaleReads} stale reads.");
    }

    private async Task ShowLiveAsync(DatabaseRouter router, Tally tally, TimeProvider time, CancellationToken endToken)
    {
        SetLive(true);
        await _console.Live(HostTable.Of(router, tally, [])).StartAsync(async live =>
        {
            while (!endToken.IsCancellationRequested)
            {
                await TrafficRunner.PauseAsync(s_redraw, time, endToken);
                live.UpdateTarget(HostTable.Of(router, tally, Events()));
            }
        });
        SetLive(false);
    }

    private async Task PrintNowAndThenAsync(DatabaseRouter router, Tally tally, TimeProvider time, CancellationToken endToken)
    {
        while (!endToken.IsCancellationRequested)
        {
            await TrafficRunner.PauseAsync(s_reprint, time, endToken);
            lock (_events) _console.Write(HostTable.Of(router, tally, []));
        }
    }

    private string[] Events()
    {
        lock (_events) return [.. _events];
    }

    private void SetLive(bool isLive)
    {
        lock (_events) _isLive = isLive;
    }
}
