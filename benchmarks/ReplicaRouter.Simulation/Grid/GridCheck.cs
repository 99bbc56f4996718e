namespace ReplicaRouter.Simulation;

/// <summary>A figure of a cell beside its limit.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Measured">What came of it.</param>
/// <param name="Limit">What it may be at most; infinite where it is only shown.</param>
/// <param name="IsLeast">Whether it has to be that at least, instead.</param>
internal sealed record GridCheck(string What, double Measured, double Limit, bool IsLeast = false)
{
    /// <summary>Not where there is no number: nothing was measured then.</summary>
    public bool IsMet => IsLeast ? Measured >= Limit : Measured <= Limit;

    /// <summary>How many times as bad it is as it may be.</summary>
    public double Excess => IsLeast ? Limit / Measured : Measured / Limit;
}
