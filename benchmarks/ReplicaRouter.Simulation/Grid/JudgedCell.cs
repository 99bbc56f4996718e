namespace ReplicaRouter.Simulation;

/// <summary>What came of a cell, judged.</summary>
internal sealed record JudgedCell(GridCell Cell, GridFigures Figures, IReadOnlyList<GridCheck> Checks)
{
    public bool IsMet => Checks.All(check => check.IsMet);

    /// <summary>The check that comes closest to its limit, or misses it by most. One without a number is worse than all others.</summary>
    public GridCheck Worst => Checks.MaxBy(check => double.IsNaN(check.Excess) ? double.PositiveInfinity : check.Excess)!;
}
