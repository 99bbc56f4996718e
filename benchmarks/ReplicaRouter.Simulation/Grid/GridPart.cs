namespace ReplicaRouter.Simulation;

/// <summary>The parts of the acceptance grid. Each has its own goals.</summary>
internal enum GridPart
{
    /// <summary>No fault: the router must cost its callers nothing.</summary>
    Healthy,

    /// <summary>One of three replicas is ten times slower.</summary>
    OneSlow,

    /// <summary>Two of three replicas are ten times slower.</summary>
    TwoSlow,

    /// <summary>Callers wait for each answer; one of three replicas is ten times slower for 10 s and then recovers.</summary>
    ClosedLoop,
}
