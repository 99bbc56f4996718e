namespace ReplicaRouter.Attempts;

/// <summary>What an error says beyond the <see cref="FailureKind"/>, as far as it decides on another run.</summary>
internal enum FailureDetail
{
    /// <summary>Nothing more.</summary>
    None,

    /// <summary>The caller's cancellation or deadline ended it, or the router's disposal.</summary>
    Cancelled,

    /// <summary>All connections of our own pool are in use.</summary>
    PoolExhausted,

    /// <summary>57P05 as a FATAL: the server ended a connection that was idle for too long.</summary>
    IdleTimeout,

    /// <summary>57P01 as a FATAL: an administrator ended the backend, or the server shuts down.</summary>
    Shutdown,

    /// <summary>40001 or 40P01: the server rolled a transaction back because of another one.</summary>
    SerializationOrDeadlock,

    /// <summary>An error of a statement that other hosts may not have: <see cref="HostFaults.MayBeOfHost"/>.</summary>
    HostSpecific,
}
