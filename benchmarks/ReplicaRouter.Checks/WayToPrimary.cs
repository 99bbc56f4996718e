namespace ReplicaRouter.Checks;

/// <summary>Why a session that has read on a replica reads on the primary next.</summary>
public enum WayToPrimary
{
    /// <summary>It asks for <see cref="Consistency.Strong"/>.</summary>
    Strong,

    /// <summary>No replica may serve.</summary>
    Fallback,

    /// <summary>It works on a writable route.</summary>
    Write,

    /// <summary>Another process goes on with its token, and asks for <see cref="Consistency.Strong"/>.</summary>
    Token,
}
