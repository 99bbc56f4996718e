namespace ReplicaRouter.Management;

/// <summary>Checks forty times a second whether a host is silent although work waits there, and if so has it probed at once.</summary>
/// <remarks>A hung host acknowledges packets but never answers, so only time shows it. The next probe, or a command's time-out, would hold callers up for seconds.</remarks>
internal sealed class StallWatch(HostRegistry registry, CommandListener listener, TimeProvider time) : IAsyncDisposable
{
    internal static readonly TimeSpan Period = TimeSpan.FromMilliseconds(25);

    /// <summary>Where commands usually end at once, even a short silence is suspicious.</summary>
    private const double UsualLatencies = 10;
    private const double LeastSilenceMs = 50;
    private const double MostSilenceMs = 100;

    private static readonly TimeSpan Forgotten = TimeSpan.FromSeconds(2);

    private readonly PeriodicTimer _timer = new(Period, time);
    private Task _loop = Task.CompletedTask;

    public void Start() => _loop = RunAsync();

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _loop.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        while (await _timer.WaitForNextTickAsync().ConfigureAwait(false))
        {
            foreach (var host in registry.Hosts) Look(host, registry.MonitorOf(host.Host));
        }
    }

    private void Look(HostPools host, HostMonitor monitor)
    {
        var load = host.Load;
        // Npgsql never reports the end of a command that it could not send. On a host without a connection in use, no command is in progress.
        if (load.Commands.IsStalled(Forgotten) && listener.CountInUse(host.Sources) == 0) load.Commands.Forget();
        Look(load, monitor);
    }

    internal static void Look(HostLoad load, HostMonitor monitor)
    {
        var silence = TimeSpan.FromMilliseconds(Math.Clamp(UsualLatencies * load.Latency.Value, LeastSilenceMs, MostSilenceMs));
        var (commands, logins) = (load.Commands.IsStalled(silence), load.Logins.IsStalled(TimeSpan.FromMilliseconds(MostSilenceMs)));
        if (commands || logins) monitor.Verify(logins);
    }
}
