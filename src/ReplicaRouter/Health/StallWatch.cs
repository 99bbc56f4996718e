using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>Looks twenty times a second whether a host is silent although work waits there, and has it asked at once if so.</summary>
/// <remarks>
/// A host that hangs accepts connections, acknowledges packets and never answers: nothing but time tells. Waiting for the next probe, or for
/// a command's time-out, would hold callers up for seconds.
/// </remarks>
internal sealed class StallWatch : IAsyncDisposable
{
    /// <summary>Time between two looks.</summary>
    internal static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan Forgotten = TimeSpan.FromSeconds(2);

    private readonly ImmutableArray<HostPools> _pools;
    private readonly CommandListener _listener;
    private readonly ImmutableArray<HostMonitor> _monitors;
    private readonly PeriodicTimer _timer;
    private readonly Task _loop;

    public StallWatch(ImmutableArray<HostPools> pools, ImmutableArray<HostMonitor> monitors, CommandListener listener, TimeProvider time)
    {
        (_pools, _monitors, _listener, _timer) = (pools, monitors, listener, new PeriodicTimer(Period, time));
        _loop = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _loop.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        while (await _timer.WaitForNextTickAsync().ConfigureAwait(false))
        {
            for (var i = 0; i < _pools.Length; i++) Look(_pools[i], _monitors[i]);
        }
    }

    private void Look(HostPools host, HostMonitor monitor)
    {
        var load = host.Load;
        // Npgsql never counts a command as ended that it could not even send: on a host where no connection is in use, none is under way.
        if (load.Commands.IsStalled(Forgotten) && _listener.CountInUse(host) == 0) load.Commands.Forget();
        Look(load, monitor);
    }

    /// <summary>Has a host asked that is silent although work waits there.</summary>
    internal static void Look(HostLoad load, HostMonitor monitor)
    {
        var (commands, logins) = (load.Commands.IsStalled(Silence), load.Logins.IsStalled(Silence));
        if (commands || logins) monitor.Verify(logins);
    }
}
