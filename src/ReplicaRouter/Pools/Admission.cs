namespace ReplicaRouter.Pools;

/// <summary>How a pool answers a caller that wants a connection now.</summary>
internal enum Admission
{
    /// <summary>The pool is full, or no connection is idle and enough logins are in progress.</summary>
    Wait,

    /// <summary>A connection appears to be idle.</summary>
    Idle,

    /// <summary>No connection is idle; the caller must log in.</summary>
    Login,

    /// <summary>The queue is too long.</summary>
    Refused,
}
