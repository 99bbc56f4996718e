namespace ReplicaRouter.Simulation;

/// <summary>What comes of one choice of constants.</summary>
/// <param name="Constant">The one that differs; null for none.</param>
/// <param name="Number">What it is.</param>
/// <param name="Rows">The cells.</param>
internal sealed record SensitivityRow(string? Constant, double Number, IReadOnlyList<JudgedCell> Rows)
{
    /// <summary>The worst cell by one of its checks, beside its number: with nothing wrong to the best peer's, with slow hosts to the same without them.</summary>
    public (JudgedCell Row, double Measured) Worst(string what) => Rows
        .SelectMany(row => row.Checks.Where(check => check.What == what).Select(check => (row, check.Measured)))
        .MaxBy(each => each.Measured);

    /// <summary>The part of its fair share that a host gets again within two seconds.</summary>
    public double ShareAgain => Rows.SelectMany(row => row.Checks).Where(check => check.What == "share again").Min(check => check.Measured);
}
