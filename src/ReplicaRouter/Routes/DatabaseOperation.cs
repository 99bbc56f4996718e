namespace ReplicaRouter;

/// <summary>The kinds of work that an application does: the five built-in routes.</summary>
public enum DatabaseOperation
{
    /// <summary>INSERT, UPDATE, DELETE, DDL. Goes only to the primary.</summary>
    Write,

    /// <summary>Units of several statements, row locks, strong reads. Goes only to the primary.</summary>
    Transactional,

    /// <summary>Lookups, lists, searches. Balanced across the read replicas; the primary is the fallback.</summary>
    Read,

    /// <summary>Reports, dashboards, aggregations. Goes to the analytics group, then other read replicas, then the primary.</summary>
    Analytics,

    /// <summary>Job queues and scheduled work. Goes to the background group, then other read replicas, then the primary.</summary>
    Background,
}
