using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>The servers' clocks agree.</summary>
internal sealed class ClockCheck : ICheck
{
    private static readonly TimeSpan s_tolerance = TimeSpan.FromSeconds(1);

    public string Name => "clocks";

    public Area Area => Area.Durability;

    public string Why => "The router does not need synchronized clocks, but now() across a failover, logs and point-in-time recovery do.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Members;

    public Findings Examine(ClusterFacts cluster)
    {
        var slowest = cluster.Members.MinBy(host => host.Server!.ClockOffset)!;
        var fastest = cluster.Members.MaxBy(host => host.Server!.ClockOffset)!;
        var apart = fastest.Server!.ClockOffset - slowest.Server!.ClockOffset;
        var error = fastest.Server.ClockError + slowest.Server.ClockError;
        return Findings.Of(FormattableString.Invariant($"{apart.TotalMilliseconds:0} ms apart, give or take {error.TotalMilliseconds:0} ms"), apart - error <= s_tolerance ? [] :
        [
            Problem.Warning(
                FormattableString.Invariant($"the clocks of {slowest.Name} and {fastest.Name} are {apart.TotalSeconds:0.0} s apart"),
                "Synchronize all machines with NTP (chrony, systemd-timesyncd), and find out why one is off."),
        ]);
    }
}
