namespace ReplicaRouter.Pools;

/// <summary>Whether a caller may open a connection of a pool now, and what that takes.</summary>
internal enum Admission
{
    /// <summary>No connection is idle, and others log in already, or the pool is full.</summary>
    Wait,

    /// <summary>A connection is idle, as far as is known.</summary>
    Idle,

    /// <summary>No connection is idle: it takes a login.</summary>
    Login,

    /// <summary>Too many callers are in line already.</summary>
    Refused,
}
