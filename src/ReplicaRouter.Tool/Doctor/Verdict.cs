namespace ReplicaRouter.Tool.Doctor;

/// <summary>The verdict of a check. Later values are worse.</summary>
internal enum Verdict
{
    Ok,

    /// <summary>It works, until something else goes wrong.</summary>
    Warning,

    /// <summary>It does not work, or not as intended.</summary>
    Failure,
}
