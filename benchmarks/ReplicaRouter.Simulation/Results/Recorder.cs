namespace ReplicaRouter.Simulation;

/// <summary>Records what callers, servers and an omniscient observer see, within the scenario's window.</summary>
internal sealed class Recorder
{
    private readonly World _world;
    private readonly Scenario _scenario;
    private readonly List<double> _latencies = [];
    private readonly List<double>[] _bySecond;
    private readonly int[][] _sentBySecond;
    private readonly SecondCounts _answered = new();
    private readonly SecondCounts _failed = new();
    private int _operations, _primaryQueue;
    private long _errors, _hedges, _hedgesWon, _stale, _wrongDowns;

    public Recorder(World world, Scenario scenario)
    {
        (_world, _scenario) = (world, scenario);
        var seconds = (int)Math.Ceiling(scenario.Length.TotalSeconds) + 1;
        _bySecond = [.. Enumerable.Range(0, seconds).Select(_ => new List<double>())];
        _sentBySecond = [.. Enumerable.Range(0, seconds).Select(_ => new int[world.Servers.Length])];
    }

    /// <summary>Records the end of an operation. A refused one is an error without a latency; one without an answer counts with the time that it waited.</summary>
    public void Ended(long intendedAt, TimeSpan took, bool isAnswered, bool isRefused)
    {
        if (!isRefused) _bySecond[Second(intendedAt)].Add(took.TotalMilliseconds);
        (isAnswered ? _answered : _failed).Count(_world.Events.Now);
        if (!IsWithin(intendedAt)) return;
        _operations++;
        if (!isRefused) _latencies.Add(took.TotalMilliseconds);
        if (!isAnswered) _errors++;
    }

    public void Sent(int host, long intendedAt)
    {
        _sentBySecond[Second(intendedAt)][host]++;
        if (IsWithin(intendedAt)) _primaryQueue = Math.Max(_primaryQueue, _world.Servers[0].Queued);
    }

    /// <summary>Records a read on a replica with the given lag.</summary>
    public void Read(TimeSpan lag, long intendedAt)
    {
        if (IsWithin(intendedAt) && lag > _world.Configuration.PlanOf(DatabaseOperation.Read).MaxLag) _stale++;
    }

    public void Hedged(long intendedAt)
    {
        if (IsWithin(intendedAt)) _hedges++;
    }

    public void HedgeWon(long intendedAt)
    {
        if (IsWithin(intendedAt)) _hedgesWon++;
    }

    /// <summary>Records that a process considers a server to be in a state, and whether that is wrong.</summary>
    public void State(Server server, HostState state)
    {
        if (server.State == ServerState.Up && state is HostState.Down or HostState.Hung or HostState.NoLogins && IsWithin(_world.Events.Now)) _wrongDowns++;
    }

    public Figures Figures()
    {
        var (from, to) = ((int)_scenario.From.TotalSeconds, (int)_scenario.To.TotalSeconds);
        var sent = new long[_world.Servers.Length];
        for (var second = from; second < to; second++)
        {
            for (var i = 0; i < sent.Length; i++) sent[i] += _sentBySecond[second][i];
        }

        var replicas = _world.Replicas.Select(server => server.Host.Index).ToList();
        var fair = replicas.Sum(i => sent[i]) / (double)replicas.Count;
        _latencies.Sort();
        return new Figures
        {
            Operations = _operations,
            Errors = _errors,
            P50Ms = Percentile(_latencies, 0.5),
            P99Ms = Percentile(_latencies, 0.99),
            P999Ms = Percentile(_latencies, 0.999),
            MaxShare = replicas.Max(i => sent[i]) / fair,
            ShareSpread = (replicas.Max(i => sent[i]) - replicas.Min(i => sent[i])) / fair,
            ShareError = Math.Max(replicas.Max(i => sent[i]) - fair, fair - replicas.Min(i => sent[i])) / fair,
            SlowShare = _scenario.Faulty.Sum(i => sent[i]) / (double)Math.Max(1, sent.Sum()),
            PrimaryShare = sent[0] / (double)Math.Max(1, sent.Sum()),
            HedgeShare = _hedges / (double)Math.Max(1, _operations),
            HedgesWon = _hedgesWon,
            ProbesPerSecond = _world.Servers.Max(server => server.Probes.Average(from, to)),
            PeakProbesPerSecond = _world.Servers.Max(server => server.Probes.Most(from, to)),
            PeakLoginsPerSecond = _world.Replicas.Max(server => server.Logins.Most(from, to)),
            LoginsPerSecond = _world.Replicas.Max(server => Enumerable.Range(from, Math.Max(1, to - from - 2)).Max(second => server.Logins.Average(second, second + 3))),
            StaleReads = _stale,
            WrongDowns = _wrongDowns,
            PrimaryQueue = _primaryQueue,
            Events = _world.Events.Count,
            Seconds =
            [
                .. Enumerable.Range(0, (int)_scenario.Length.TotalSeconds).Select(second => new SecondFigures(
                    Percentile([.. _bySecond[second].Order()], 0.99),
                    _answered.Most(second, second + 1),
                    _scenario.Faulty.Sum(i => _sentBySecond[second][i]) / (double)Math.Max(1, _sentBySecond[second].Sum()),
                    _world.Servers.Max(server => server.Probes.Most(second, second + 1)),
                    _scenario.Faulty.Length == 0 ? 0 : _scenario.Faulty.Max(i => _world.Servers[i].Logins.Most(second, second + 1)),
                    _failed.Most(second, second + 1))),
            ],
        };
    }

    private static double Percentile(List<double> sorted, double rank) => sorted.Count == 0 ? 0 : sorted[(int)Math.Min(sorted.Count - 1, Math.Ceiling(rank * sorted.Count) - 1)];

    private bool IsWithin(long at) => at >= _scenario.From.Ticks && at < _scenario.To.Ticks;

    private static int Second(long at) => (int)(at / TimeSpan.TicksPerSecond);
}
