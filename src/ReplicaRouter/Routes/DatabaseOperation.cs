namespace ReplicaRouter;

/// <summary>What an application is about to do: the five routes that every router has.</summary>
public enum DatabaseOperation
{
    /// <summary>INSERT, UPDATE, DELETE, DDL. Goes to the primary and nowhere else.</summary>
    Write,

    /// <summary>Units of several statements, row locks, strong reads. Goes to the primary and nowhere else.</summary>
    Transactional,

    /// <summary>Lookups, lists, searches. Balanced over the read replicas, then the primary.</summary>
    Read,

    /// <summary>Reports, dashboards, aggregations. Goes to the analytics group, then other read replicas, then the primary.</summary>
    Analytics,

    /// <summary>Job queues and scheduled work. Goes to the background group, then other read replicas, then the primary.</summary>
    Background,
}
