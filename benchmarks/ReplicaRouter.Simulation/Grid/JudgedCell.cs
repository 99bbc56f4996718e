namespace ReplicaRouter.Simulation;

/// <summary>A cell, its figures and its checks.</summary>
internal sealed record JudgedCell(GridCell Cell, GridFigures Figures, IReadOnlyList<GridCheck> Checks)
{
    public bool IsMet => Checks.All(check => check.IsMet);

    /// <summary>The check that is closest to its limit or misses it by most. A check without a value is the worst.</summary>
    public GridCheck Worst => Checks.MaxBy(check => double.IsNaN(check.Excess) ? double.PositiveInfinity : check.Excess)!;
}
