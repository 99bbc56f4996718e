namespace ReplicaRouter.Checks;

/// <summary>The reason why a session that has read on a replica reads on the primary next.</summary>
public enum WayToPrimary
{
    /// <summary>It requests <see cref="Consistency.Strong"/>.</summary>
    Strong,

    /// <summary>No replica is eligible.</summary>
    Fallback,

    /// <summary>It uses a writable route.</summary>
    Write,

    /// <summary>Another process continues it by its token, and requests <see cref="Consistency.Strong"/>.</summary>
    Token,
}
