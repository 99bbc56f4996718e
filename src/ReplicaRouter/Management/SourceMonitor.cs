using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Management;

/// <summary>Queries one discovery source repeatedly, even after failures, and applies its answers.</summary>
internal sealed class SourceMonitor(
    IHostDiscoverySource source, LiveTopology topology, TopologyStore store, HostRegistry registry, DiscoverySettings settings, RoutingCounters counters, TimeProvider time, Random random,
    ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan ShortestValidity = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestValidity = TimeSpan.FromHours(1);

    /// <summary>Maximum number of refused hosts that a log event lists.</summary>
    private const int MostShown = 5;

    private readonly CancellationTokenSource _stop = new();
    private readonly Pause _pause = new(time);
    private Task _loop = Task.CompletedTask;
    private ImmutableArray<string> _refused = [];
    private volatile SourceReport? _last;
    private long _askedAt;

    public SourceReport? Last => _last;

    public void Start() => _loop = RunAsync();

    /// <summary>Queries soon instead of at the end of the interval: a lost host can have a new address.</summary>
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
        // The starting thread must not run the query.
        await time.YieldAsync().ConfigureAwait(false);
        while (!_stop.IsCancellationRequested)
        {
            var isWoken = await _pause.OfAsync(await AskAsync().ConfigureAwait(false) * (0.9 + (0.2 * random.NextDouble()))).ConfigureAwait(false);
            // A flapping primary must not cause more queries than the shortest validity allows.
            var since = time.GetElapsedTime(_askedAt);
            if (isWoken && since < ShortestValidity) await Task.Delay(ShortestValidity - since, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>The time until the next query.</returns>
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
            AnswerCheck.Check(answer);
            var hosts = Allowed(answer.Hosts);
            topology.Discover(source.Name, hosts, _askedAt);
            LookAtPrimary(hosts);
            if (_last?.Failure is not null) Log.SourceRecovered(logger, source.Name, hosts.Count);
            _last = new SourceReport(source.Name, hosts.Count, _refused, null);
            return answer.ValidFor is { } validity ? TimeSpan.Min(TimeSpan.Max(validity, ShortestValidity), LongestValidity) : settings.Interval;
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            return TimeSpan.Zero;
        }
        catch (Exception e)
        {
            counters.DiscoveryFailures.AddOrUpdate(source.Name, 1, (_, count) => count + 1);
            var why = limit.IsCancellationRequested ? $"no answer within {settings.Timeout}" : PlainText.Of(e.Message);
            if (_last?.Failure is null) Log.SourceFailed(logger, source.Name, why);
            _last = new SourceReport(source.Name, 0, _refused, why);
            return settings.Interval;
        }
    }

    /// <exception cref="InvalidDataException">The answer names no allowed host.</exception>
    private List<DiscoveredHost> Allowed(IReadOnlyList<DiscoveredHost> named)
    {
        List<DiscoveredHost> allowed = [.. named.Where(host => settings.Allowed.Allow(host.Address))];
        ImmutableArray<string> refused = [.. named.Except(allowed).Select(host => host.Endpoint)];
        counters.RefusedHosts.AddOrUpdate(source.Name, refused.Length, (_, count) => count + refused.Length);
        if (refused.Length > 0 && _refused.IsEmpty) Log.HostsRefused(logger, source.Name, string.Join(", ", refused.Take(MostShown)), refused.Length);
        _refused = refused;
        return allowed.Count > 0 ? allowed : throw new InvalidDataException("the answer names only hosts that Discovery:AllowedHosts does not allow");
    }

    private void LookAtPrimary(List<DiscoveredHost> hosts)
    {
        if (hosts.FirstOrDefault(host => host.IsPrimary) is not { } said) return;
        var topology = store.Current;
        var host = topology.Hosts.FirstOrDefault(known => known.Configuration.HasEndpoint(said.Endpoint));
        if (host is not null && !ReferenceEquals(host, topology.Primary)) registry.MonitorOf(host.Configuration).Wake();
    }
}

/// <summary>
/// The result of one query of a discovery source: the number of allowed hosts that it named, the endpoints of the refused ones, and why the answer was not used;
/// null if it was.
/// </summary>
internal sealed record SourceReport(string Source, int Hosts, ImmutableArray<string> Refused, string? Failure);
