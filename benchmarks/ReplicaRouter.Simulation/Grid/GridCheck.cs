namespace ReplicaRouter.Simulation;

/// <summary>A figure of a cell and its limit.</summary>
/// <param name="What">The name of the figure.</param>
/// <param name="Measured">The measured value.</param>
/// <param name="Limit">The upper limit; infinite for a figure that is only shown.</param>
/// <param name="IsLeast">Whether the limit is a lower limit instead.</param>
internal sealed record GridCheck(string What, double Measured, double Limit, bool IsLeast = false)
{
    /// <summary>Whether the figure is within its limit. False for NaN, which means that nothing was measured.</summary>
    public bool IsMet => IsLeast ? Measured >= Limit : Measured <= Limit;

    /// <summary>The ratio to the limit; above 1 misses it.</summary>
    public double Excess => IsLeast ? Limit / Measured : Measured / Limit;
}
