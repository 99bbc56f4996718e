using System.Numerics;

namespace ReplicaRouter.Ejection;

/// <summary>Leaves hosts out of one route's rotation that are slower than the fastest one, but for a trial now and then, and takes them in again.</summary>
/// <remarks>
/// All is judged when a sample is recorded. A choice only reads what was judged, so that looking changes nothing.
/// A sample is compared with all recent ones of the fastest other host: how much more likely is it at a host that is 2 to 16 times as slow? Where one route has look-ups and reports, a
/// report is nothing unusual, and a look-up that takes as long as neither is. Evidence adds up over samples, and goes down with each that is usual. It is a test by betting: each
/// sample bets half of the stake, so that what the bets have gained is a fair game at best while the host is as fast, and chance seldom makes it large, however queries are distributed
/// (G. Shafer, "Testing by betting", J. R. Stat. Soc. A 184(2), 2021). What makes all hosts slow at once is evidence against the other host as well, and is taken off.
/// </remarks>
internal sealed class OutlierEjection(TimeProvider time, EjectionSettings settings)
{
    /// <summary>Up to this, a slow trial decides nothing: at least one in eight of the fastest host's commands takes half as long or longer.</summary>
    private static readonly double WeakEvidence = Math.Log(Math.Sqrt(2));

    /// <summary>Part of the samples that no silence is expected to be shorter than.</summary>
    private const double LongShare = 0.01;

    private readonly Lock _lock = new();
    private readonly HostLatency?[] _hosts = new HostLatency?[RouterConfiguration.MostHosts];
    private ulong _known;
    private ulong _ejected;
    private long _commands;
    private double _silenceMs;

    /// <summary>What judges the hosts of a route, of which at least one may serve it.</summary>
    public static OutlierEjection Of(ulong hosts, int route, ReadOnlySpan<HostLoad> loads) => loads[BitOperations.TrailingZeroCount(hosts)].Ejection(route);

    /// <summary>The hosts that are left out at present, one bit each.</summary>
    public ulong Ejected => Volatile.Read(ref _ejected);

    /// <summary>The hosts to choose among: one that is due for a trial, else all but those that are ejected, and those that are silent although work waits there.</summary>
    public ulong Filter(ulong candidates, ReadOnlySpan<HostLoad> loads)
    {
        var ejected = Ejected & candidates;
        if (ejected != 0 && DueForTrial(ejected, loads) is var due and not 0) return due;
        // The fastest host is not ejected. But it may be no candidate.
        var window = ejected == candidates ? candidates : candidates & ~ejected;
        var silent = SilentAmong(window, loads);
        return silent == window ? window : window & ~silent;
    }

    /// <summary>Notes that a host was chosen for a command: if it is ejected, that is its trial.</summary>
    public void OnChosen(int host)
    {
        if ((Ejected >> host & 1) != 0) Volatile.Read(ref _hosts[host])!.ClaimTrial(time.GetTimestamp() + time.Ticks(settings.FirstPause));
    }

    /// <summary>What is typical of a host, in ms; 0 as long as it is not compared.</summary>
    public double TypicalMs(int host)
    {
        lock (_lock) return _hosts[host] is { } latency && latency.Samples >= settings.LeastSamples ? Math.Exp(latency.Typical) : 0;
    }

    public bool WasSlow(int host) => Volatile.Read(ref _hosts[host]) is { WasSlow: true };

    /// <summary>Notes how long a command took. It was beaten if it was stopped then, as another host had done the same work in less.</summary>
    public void Record(int host, double milliseconds, bool isBeaten = false)
    {
        if (!double.IsFinite(milliseconds) || milliseconds < 0) return;
        var sample = Math.Max(milliseconds, 0.001);
        var now = time.GetTimestamp();
        lock (_lock)
        {
            Volatile.Write(ref _commands, _commands + 1);
            var latency = _hosts[host] ?? Add(host);
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
            _hosts[host]?.Reset();
            Readmit(host);
        }
    }

    private HostLatency Add(int host)
    {
        var latency = new HostLatency();
        Volatile.Write(ref _hosts[host], latency);
        _known |= 1UL << host;
        return latency;
    }

    /// <summary>With nothing to compare it with, a host is not slow.</summary>
    private void ReadmitForWant(int host, HostLatency latency)
    {
        if ((_ejected >> host & 1) == 0) return;
        latency.Evidence = 0;
        Readmit(host);
    }

    private void Readmit(int host) => Volatile.Write(ref _ejected, _ejected & ~(1UL << host));

    /// <summary>What a sample says against its host: what a bet of half of the stake on its being slower than the other one would gain.</summary>
    private double EvidenceOf(double sample, HostLatency other) =>
        Math.Min(Math.Log(0.5 + (0.5 * other.LikelihoodRatio(sample, settings.ToleranceMs))), settings.MostEvidenceOfOne);

    private void Judge(int host, HostLatency latency, double sample, HostLatency reference, bool isBeaten, long now)
    {
        // Another host that began the same work later and was done sooner counts for half of what ejects a host.
        var evidence = EvidenceOf(sample, reference) + (isBeaten ? settings.Evidence / 2 : 0);
        latency.WasSlow = evidence > 0;
        if (latency.Typical <= reference.Typical) Volatile.Write(ref _silenceMs, Math.Max(settings.LeastSilenceMs, EjectionSettings.Ratio * latency.Slowest(LongShare)));
        var startedAt = now - time.Ticks(TimeSpan.FromMilliseconds(sample));
        var isKnown = latency.WasSlow && now - latency.SlowAt < time.Ticks(settings.HeldUpTogether);
        if (latency.WasSlow && !isKnown) latency.SlowAt = now;
        if ((_ejected >> host & 1) == 0) Judge(host, latency, isKnown ? 0 : evidence, reference, now);
        // A command that was under way before says what was known.
        else if (startedAt >= latency.TrialAt) JudgeTrial(host, latency, evidence, now);
    }

    private void Judge(int host, HostLatency latency, double evidence, HostLatency reference, long now)
    {
        latency.Evidence = Math.Clamp(latency.Evidence + evidence, 0, settings.EvidenceAgainstMost + settings.Evidence);
        if (latency.Evidence - reference.Evidence < EvidenceNeeded(host, now)) return;
        // A host that was well for its trials only, as one with a quota of CPU time, goes on waiting for as long as it did.
        if (time.GetElapsedTime(latency.ReadmittedAt, now) > settings.LongestPause) latency.SlowTrials = 0;
        // Before choices see it.
        PutOffTrial(latency, now, _ejected | 1UL << host);
        Volatile.Write(ref _ejected, _ejected | 1UL << host);
    }

    private void JudgeTrial(int host, HostLatency latency, double evidence, long now)
    {
        latency.ClaimTrial(long.MinValue / 2);
        // A trial counts twice: it tells more than the commands before it.
        latency.Evidence = Math.Clamp(latency.Evidence + (2 * evidence), 0, settings.Evidence);
        if (evidence > WeakEvidence)
        {
            latency.SlowTrials++;
            PutOffTrial(latency, now, _ejected);
        }
        // A longer query among look-ups tells little: another trial follows soon.
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

    /// <summary>The hosts that are ejected share what trials may cost.</summary>
    private void PlanTrial(HostLatency latency, long now, TimeSpan pause, ulong ejected) =>
        latency.PlanTrial(now + time.Ticks(pause), _commands + ((long)settings.CommandsPerTrial * BitOperations.PopCount(ejected)));

    private double EvidenceNeeded(int host, long now)
    {
        var without = _ejected | 1UL << host;
        var all = without;
        for (var rest = _known & ~without; rest != 0; rest &= rest - 1)
        {
            if (IsFresh(_hosts[BitOperations.TrailingZeroCount(rest)]!, now)) all |= rest & ~(rest - 1);
        }

        return 2 * BitOperations.PopCount(without) > BitOperations.PopCount(all) ? settings.EvidenceAgainstMost : settings.Evidence;
    }

    /// <summary>The one with the shortest commands of all others that are in rotation; null where there is none.</summary>
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

    /// <summary>The first ejected host that is due for a trial, as a bit; 0 where there is none. One command at a time tells. Work of other routes keeps it waiting for a moment only.</summary>
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
        var limit = Volatile.Read(ref _silenceMs);
        var silent = 0UL;
        if (limit == 0) return silent;
        for (var rest = hosts; rest != 0; rest &= rest - 1)
        {
            if (loads[BitOperations.TrailingZeroCount(rest)].IsSilent(limit)) silent |= rest & ~(rest - 1);
        }

        return silent;
    }
}
