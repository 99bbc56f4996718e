namespace Demo;

/// <summary>The options of the command line.</summary>
internal sealed record DemoOptions(int? Seconds, bool Drill, bool Json)
{
    private static readonly TimeSpan s_endlessDrill = TimeSpan.FromSeconds(30);

    /// <summary>The duration of the traffic; <see langword="null"/> until it is stopped.</summary>
    public TimeSpan? Duration => Seconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    /// <summary>When the drill kills the replica.</summary>
    public TimeSpan KillAfter => (Duration ?? s_endlessDrill) / 3;

    /// <summary>When the drill starts it again.</summary>
    public TimeSpan StartAfter => (Duration ?? s_endlessDrill) * 2 / 3;
}
