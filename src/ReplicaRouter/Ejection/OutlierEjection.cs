using System.Numerics;

namespace ReplicaRouter.Ejection;

/// <summary>Ejects hosts from one route's rotation that are slower than the fastest one, except for an occasional trial, and re-admits them.</summary>
/// <remarks>
/// Hosts are judged when a sample is recorded. A choice only reads the outcome, so that looking changes nothing.
/// A sample is compared with all recent ones of the fastest other host: how much more likely is it on a host that is 2 to 16 times as slow? On a route with look-ups and
/// reports, the time of a report is usual, and that of a look-up that takes as long as neither is not. Evidence adds up over samples, and falls with each usual one.
/// It is a test by betting: each sample bets half of the stake. While the host is as fast, the gains are at best those of a fair game, and chance seldom makes them large,
/// however queries are distributed (G. Shafer, "Testing by betting", J. R. Stat. Soc. A 184(2), 2021). What slows down all hosts at once is evidence against the other
/// host as well, and is subtracted.
/// </remarks>
internal sealed class OutlierEjection(TimeProvider time, EjectionSettings settings)
{
    /// <summary>A slow trial with evidence up to this decides nothing: at least one in eight of the fastest host's commands takes half as long or longer.</summary>
    private static readonly double WeakEvidence = Math.Log(Math.Sqrt(2));

    /// <summary>Share of the longest samples that do not count for the length of a silence.</summary>
    private const double LongShare = 0.01;

    private readonly Lock _lock = new();
    private readonly HostLatency?[] _hosts = new HostLatency?[RouterConfiguration.MostHosts];
    private ulong _known;
    private ulong _ejected;
    private long _commands;
    private double _silenceMs;

    /// <summary>Returns what judges the hosts of a route. <paramref name="hosts"/> must not be empty.</summary>
    public static OutlierEjection Of(ulong hosts, int route, ReadOnlySpan<HostLoad> loads) => loads[BitOperations.TrailingZeroCount(hosts)].Ejection(route);

    /// <summary>The hosts that are ejected now, one bit each.</summary>
    public ulong Ejected => Volatile.Read(ref _ejected);

    /// <summary>Returns the hosts to choose among: one that is due for a trial, or else all except those that are ejected, or silent although work waits there.</summary>
    public ulong Filter(ulong candidates, ReadOnlySpan<HostLoad> loads)
    {
        var ejected = Ejected & candidates;
        if (ejected != 0 && DueForTrial(ejected, loads) is var due and not 0) return due;
        // All candidates can be ejected: the fastest host, which never is, need not be a candidate.
        var window = ejected == candidates ? candidates : candidates & ~ejected;
        var silent = SilentAmong(window, loads);
        return silent == window ? window : window & ~silent;
    }

    /// <summary>Notes that a host was chosen for a command. If the host is ejected, that is its trial.</summary>
    public void OnChosen(int host)
    {
        if ((Ejected >> host & 1) != 0) Volatile.Read(ref _hosts[host])!.ClaimTrial(time.GetTimestamp() + time.Ticks(settings.FirstPause));
    }

    /// <summary>Returns a host's typical duration in ms; 0 while it has too few samples to be compared.</summary>
    public double TypicalMs(int host)
    {
        lock (_lock) return _hosts[host] is { } latency && latency.Samples >= settings.LeastSamples ? Math.Exp(latency.Typical) : 0;
    }

    /// <summary>Whether a host's last command was slow: too little to eject the host, but enough not to rely on it.</summary>
    public bool WasSlow(int host) => Volatile.Read(ref _hosts[host]) is { WasSlow: true };

    /// <summary>Records how long a command took. It was beaten if it was stopped then because another host had done the same work in less time.</summary>
    public void Record(int host, double milliseconds, bool isBeaten = false)
    {
        if (!double.IsFinite(milliseconds) || milliseconds < 0) return;
        var sample = Math.Max(milliseconds, 0.001);
        var now = time.GetTimestamp();
        lock (_lock)
        {
            Volatile.Write(ref _commands, _commands + 1);
            var latency = _hosts[host] ?? Begin(host);
            var reference = FastestOther(host, now);
            if (reference is null) ReadmitForWant(host, latency);
            else if (latency.Samples >= settings.LeastSamples) Judge(host, latency, sample, reference, isBeaten, now);
            latency.Add(sample, settings.History, now);
        }
    }

    public void OnProbed(int host, bool isUsual)
    {
        lock (_lock)
        {
            if ((_ejected >> host & 1) == 0) return;
            var latency = _hosts[host]!;
            if (!isUsual) latency.Probes = ProbeSpeed.Slow;
            else if (latency.Probes == ProbeSpeed.Slow) latency.Probes = ProbeSpeed.UsualAgain;
        }
    }

    public void Forget(int host)
    {
        lock (_lock)
        {
            if (_hosts[host] is not null) Begin(host);
            Readmit(host);
        }
    }

    /// <summary>Begins a host's record, in place of a former one.</summary>
    private HostLatency Begin(int host)
    {
        var latency = new HostLatency();
        Volatile.Write(ref _hosts[host], latency);
        _known |= 1UL << host;
        return latency;
    }

    /// <summary>Re-admits a host that there is nothing to compare with: it is not slow then.</summary>
    private void ReadmitForWant(int host, HostLatency latency)
    {
        if ((_ejected >> host & 1) == 0) return;
        latency.Evidence = 0;
        Readmit(host);
    }

    private void Readmit(int host) => Volatile.Write(ref _ejected, _ejected & ~(1UL << host));

    /// <summary>Returns a sample's evidence against its host: the gain of betting half of the stake that it is slower than the other one.</summary>
    private double EvidenceOf(double sample, HostLatency other) =>
        Math.Min(Math.Log(0.5 + (0.5 * other.LikelihoodRatio(sample, settings.ToleranceMs))), settings.MostEvidenceOfOne);

    private void Judge(int host, HostLatency latency, double sample, HostLatency reference, bool isBeaten, long now)
    {
        // That another host started the same work later and finished it sooner is half of the evidence that ejects a host.
        var evidence = EvidenceOf(sample, reference) + (isBeaten ? settings.Evidence / 2 : 0);
        latency.WasSlow = evidence > 0;
        if (latency.Typical <= reference.Typical) Volatile.Write(ref _silenceMs, Math.Max(settings.LeastSilenceMs, EjectionSettings.Ratio * latency.Slowest(LongShare)));
        var startedAt = now - time.Ticks(TimeSpan.FromMilliseconds(sample));
        var isKnown = latency.WasSlow && now - latency.SlowAt < time.Ticks(settings.HeldUpTogether);
        if (latency.WasSlow && !isKnown) latency.SlowAt = now;
        if ((_ejected >> host & 1) == 0) Judge(host, latency, isKnown ? 0 : evidence, reference, now);
        // A command that started earlier shows nothing new.
        else if (startedAt >= latency.TrialAt) JudgeTrial(host, latency, evidence, now);
    }

    private void Judge(int host, HostLatency latency, double evidence, HostLatency reference, long now)
    {
        latency.Evidence = Math.Clamp(latency.Evidence + evidence, 0, settings.EvidenceAgainstMost + settings.Evidence);
        if (latency.Evidence - reference.Evidence < EvidenceNeeded(host, now)) return;
        // A host that was fast only for its trials, such as one with a CPU quota, keeps its long pauses.
        if (time.GetElapsedTime(latency.ReadmittedAt, now) > settings.LongestPause) latency.SlowTrials = 0;
        // Plan the trial before choices see the ejection.
        PutOffTrial(latency, now, _ejected | 1UL << host);
        Volatile.Write(ref _ejected, _ejected | 1UL << host);
    }

    private void JudgeTrial(int host, HostLatency latency, double evidence, long now)
    {
        latency.ClaimTrial(long.MinValue / 2);
        // A trial counts twice: it shows more than the commands before it.
        latency.Evidence = Math.Clamp(latency.Evidence + (2 * evidence), 0, settings.Evidence);
        if (evidence > WeakEvidence)
        {
            latency.SlowTrials++;
            PutOffTrial(latency, now, _ejected);
        }
        // A longer query among look-ups proves little: try again soon.
        else if (evidence > 0) PlanTrial(latency, now, settings.FirstPause, _ejected);
        else if (latency.Evidence <= settings.Evidence / 2)
        {
            latency.ReadmittedAt = now;
            Readmit(host);
        }
    }

    private void PutOffTrial(HostLatency latency, long now, ulong ejected)
    {
        latency.Evidence = settings.Evidence;
        PlanTrial(latency, now, TimeSpan.Min(settings.FirstPause * (1 << Math.Min(latency.SlowTrials, 16)), settings.LongestPause), ejected);
    }

    /// <summary>Plans a trial. All ejected hosts share one budget of trials.</summary>
    private void PlanTrial(HostLatency latency, long now, TimeSpan pause, ulong ejected) =>
        latency.PlanTrial(now + time.Ticks(pause), _commands + ((long)settings.CommandsPerTrial * BitOperations.PopCount(ejected)));

    private double EvidenceNeeded(int host, long now)
    {
        var (ejected, left) = (_ejected | 1UL << host, 0);
        for (var rest = _known & ~ejected; rest != 0; rest &= rest - 1)
        {
            if (IsFresh(_hosts[BitOperations.TrailingZeroCount(rest)]!, now)) left++;
        }

        return BitOperations.PopCount(ejected) > left ? settings.EvidenceAgainstMost : settings.Evidence;
    }

    /// <summary>Returns the other host in rotation with the shortest commands; null if none can be compared.</summary>
    private HostLatency? FastestOther(int host, long now)
    {
        HostLatency? fastest = null;
        for (var rest = _known & ~_ejected & ~(1UL << host); rest != 0; rest &= rest - 1)
        {
            var latency = _hosts[BitOperations.TrailingZeroCount(rest)]!;
            if (latency.Samples >= settings.LeastSamples && IsFresh(latency, now) && !(latency.Typical >= fastest?.Typical)) fastest = latency;
        }

        return fastest;
    }

    private bool IsFresh(HostLatency latency, long now) => time.GetElapsedTime(latency.SampledAt, now) < settings.Fresh;

    /// <summary>
    /// Returns the first ejected host that is due for a trial, as a bit; 0 for none. A trial runs alone on its host, but waits for other work there only briefly.
    /// </summary>
    private ulong DueForTrial(ulong ejected, ReadOnlySpan<HostLoad> loads)
    {
        var (now, commands, busy, quiet) = (time.GetTimestamp(), Volatile.Read(ref _commands), time.Ticks(settings.LongestPause), time.Ticks(settings.LongestWait));
        for (var rest = ejected; rest != 0; rest &= rest - 1)
        {
            var host = BitOperations.TrailingZeroCount(rest);
            var latency = Volatile.Read(ref _hosts[host])!;
            if (latency.IsTrialDue(now, commands, quiet) && (loads[host].InFlight == 0 || now - latency.TrialAt > busy)) return 1UL << host;
        }

        return 0;
    }

    private ulong SilentAmong(ulong hosts, ReadOnlySpan<HostLoad> loads)
    {
        var limit = TimeSpan.FromMilliseconds(Volatile.Read(ref _silenceMs));
        var silent = 0UL;
        if (limit == TimeSpan.Zero) return silent;
        for (var rest = hosts; rest != 0; rest &= rest - 1)
        {
            if (loads[BitOperations.TrailingZeroCount(rest)].Commands.IsStalled(limit)) silent |= rest & ~(rest - 1);
        }

        return silent;
    }
}
