namespace ReplicaRouter.Simulation;

/// <summary>The results of one choice of constants.</summary>
/// <param name="Constant">The constant that differs from its default; null for none.</param>
/// <param name="Number">Its value.</param>
/// <param name="Rows">The judged cells.</param>
internal sealed record SensitivityRow(string? Constant, double Number, IReadOnlyList<JudgedCell> Rows)
{
    /// <summary>Returns the worst cell by one check, and its measured ratio: to the best peer on healthy cells, to the same cell without the fault otherwise.</summary>
    public (JudgedCell Row, double Measured) Worst(string what) => Rows
        .SelectMany(row => row.Checks.Where(check => check.What == what).Select(check => (row, check.Measured)))
        .MaxBy(each => each.Measured);

    /// <summary>The share of its fair share that a recovered host regains within two seconds, in the worst cell.</summary>
    public double ShareAgain => Rows.SelectMany(row => row.Checks).Where(check => check.What == "share regained").Min(check => check.Measured);
}
