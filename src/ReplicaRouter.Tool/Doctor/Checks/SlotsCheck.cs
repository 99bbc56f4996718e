using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>No replication slot holds WAL without a reader.</summary>
internal sealed class SlotsCheck : ICheck
{
    public string Name => "replication-slots";

    public Area Area => Area.Replication;

    public string Why => "WAL held by a slot fills the disk, and a primary with a full disk stops.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Members;

    public Findings Examine(ClusterFacts cluster) => Findings.Of(
        $"{cluster.Members.Sum(host => host.Server!.Slots.Length)} slots, none holds WAL without a reader",
        cluster.Members.SelectMany(host => host.Server!.Slots.Select(slot => ProblemOf(host, slot)).OfType<Problem>()));

    private static Problem? ProblemOf(HostFacts host, SlotFacts slot)
    {
        if (slot.WalStatus is "lost" or "unreserved")
        {
            return Problem.Failure(
                $"{host.Name}: the WAL of slot '{slot.Name}' is {(slot.WalStatus == "lost" ? "lost" : "about to be lost")}: it fell behind by more than max_slot_wal_keep_size",
                $"Rebuild the standby that uses it (pg_basebackup), and drop the slot: SELECT pg_drop_replication_slot('{slot.Name}');");
        }

        if (slot.IsActive || slot.HeldBytes is not { } held) return null;
        var isBounded = host.Server!.Number("max_slot_wal_keep_size") >= 0;
        return Problem.Warning(
            $"{host.Name}: slot '{slot.Name}' has no reader and holds {Status.StatusTable.Bytes(held)} of WAL, {(isBounded ? "up to max_slot_wal_keep_size" : "without a limit")}",
            $"Start the standby that uses it, or on {host.Host.Endpoint}: SELECT pg_drop_replication_slot('{slot.Name}');{(isBounded ? "" : " Set max_slot_wal_keep_size in any case.")}");
    }
}
