using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter;

/// <summary>Asks one source of hosts again and again, whatever happens, and hands on what it says.</summary>
internal sealed class SourceMonitor(
    ITopologySource source, LiveTopology topology, TopologyStore store, Fleet fleet, DiscoverySettings settings, RoutingCounters counters, TimeProvider time, Random random,
    ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan ShortestValidity = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestValidity = TimeSpan.FromHours(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly Pause _pause = new(time);
    private Task _loop = Task.CompletedTask;
    private bool _hasFailed;
    private long _askedAt;

    public void Start() => _loop = RunAsync();

    /// <summary>Asks soon rather than at the end of the interval: who is lost may have got another address.</summary>
    public void Wake() => _pause.Cut();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _pause.Cut();
        await _loop.ConfigureAwait(false);
        _pause.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        // Whoever starts it does not ask.
        await time.YieldAsync().ConfigureAwait(false);
        while (!_stop.IsCancellationRequested)
        {
            var isWoken = await _pause.OfAsync(await AskAsync().ConfigureAwait(false) * (0.9 + (0.2 * random.NextDouble()))).ConfigureAwait(false);
            // A primary that comes and goes is no reason to ask more often than the shortest answer holds.
            var since = time.GetElapsedTime(_askedAt);
            if (isWoken && since < ShortestValidity) await Task.Delay(ShortestValidity - since, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>For how long there is no need to ask again.</returns>
    private async Task<TimeSpan> AskAsync()
    {
        _askedAt = time.GetTimestamp();
        using var limit = new CancellationTokenSource(settings.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
        try
        {
            var asking = source.FindHostsAsync(either.Token);
            asking.Forget();
            var answer = await asking.WaitAsync(either.Token).ConfigureAwait(false);
            Check(answer);
            topology.Discover(source.Name, answer.Hosts);
            LookAtPrimary(answer);
            if (_hasFailed) Log.SourceRecovered(logger, source.Name, answer.Hosts.Count);
            _hasFailed = false;
            return answer.ValidFor is not { } validity ? settings.Interval : validity < ShortestValidity ? ShortestValidity : validity > LongestValidity ? LongestValidity : validity;
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            return TimeSpan.Zero;
        }
        catch (Exception e)
        {
            counters.CountDiscoveryFailure(source.Name);
            var why = limit.IsCancellationRequested ? $"no answer within {settings.Timeout}" : e.Message;
            if (!_hasFailed) Log.SourceFailed(logger, source.Name, why);
            _hasFailed = true;
            return settings.Interval;
        }
    }

    /// <exception cref="InvalidDataException">The answer names no host, or one that there can't be.</exception>
    private static void Check(TopologyAnswer answer)
    {
        // A registry that has just started knows nobody, and that is no reason to drop everybody.
        if (answer.Hosts.Count == 0) throw new InvalidDataException("the answer names no host");
        foreach (var host in answer.Hosts)
        {
            var isAddress = host.Address.Length > 0 && !host.Address.Any(c => char.IsWhiteSpace(c) || c is ',' or '/' or '@');
            if (!isAddress || host.Port is < 1 or > 65535 || host.Weight is < 1 or > 100) throw new InvalidDataException($"the answer names a host that there can't be: '{host.Address}', port {host.Port}, weight {host.Weight}");
        }
    }

    private void LookAtPrimary(TopologyAnswer answer)
    {
        if (answer.Hosts.FirstOrDefault(host => host.IsPrimary) is not { } said) return;
        var topology = store.Current;
        var host = topology.Hosts.FirstOrDefault(known => known.Configuration.Endpoint.Equals($"{said.Address}:{said.Port}", StringComparison.OrdinalIgnoreCase));
        if (host is not null && !ReferenceEquals(host, topology.Primary)) fleet.MonitorOf(host.Configuration).Wake();
    }
}

/// <summary>How sources of hosts are asked.</summary>
/// <param name="Interval">Time between two questions, where the answer doesn't say.</param>
/// <param name="Timeout">Time that an answer may take.</param>
/// <param name="Groups">What hosts serve, where the source doesn't say.</param>
internal sealed record DiscoverySettings(TimeSpan Interval, TimeSpan Timeout, ImmutableArray<string> Groups);
