namespace ReplicaRouter.Tool.Doctor;

/// <summary>What a check says. Later values are worse.</summary>
internal enum Verdict
{
    Ok,

    /// <summary>It works, until something else goes wrong.</summary>
    Warning,

    /// <summary>It does not work, or not as it is meant to.</summary>
    Failure,
}
