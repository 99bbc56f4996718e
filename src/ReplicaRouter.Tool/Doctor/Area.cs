namespace ReplicaRouter.Tool.Doctor;

/// <summary>The subject of a check, in the order of the report.</summary>
internal enum Area
{
    Topology,
    Replication,
    Durability,
    Capacity,
    Security,
}
