namespace ReplicaRouter.Tool.Doctor;

/// <summary>What a check is about, in the order in which the report shows it.</summary>
internal enum Area
{
    Topology,
    Replication,
    Durability,
    Capacity,
    Security,
}
