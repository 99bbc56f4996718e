namespace ReplicaRouter.Attempts;

/// <summary>What an error says beyond its <see cref="FailureKind"/>, where it matters for a retry.</summary>
internal enum FailureDetail
{
    None,

    /// <summary>Ended by the caller's cancellation or deadline, or by the router's disposal.</summary>
    Cancelled,

    /// <summary>All connections of the router's own pool are in use.</summary>
    PoolExhausted,

    /// <summary>FATAL 57P05: the server closed a connection that was idle for too long.</summary>
    IdleTimeout,

    /// <summary>FATAL 57P01: an administrator terminated the backend, or the server is shutting down.</summary>
    Shutdown,

    /// <summary>40001 or 40P01: the server rolled a transaction back because of another one.</summary>
    SerializationOrDeadlock,

    /// <summary>A statement's error that other hosts may not have: <see cref="HostFaults.IsPossiblyHostSpecific"/>.</summary>
    HostSpecific,
}
