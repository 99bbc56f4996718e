namespace ReplicaRouter.Simulation;

/// <summary>Judges cells by the goals of the grid.</summary>
internal static class GridJudge
{
    /// <summary>The policies to compare with: they do not judge hosts by their latency.</summary>
    public static IReadOnlyList<Policy> Peers { get; } = [Policy.RoundRobin, Policy.LeastInFlight];

    public static JudgedCell Judge(GridCell cell, GridFigures figures)
    {
        var judged = cell.Policies[0].Name;
        return new JudgedCell(cell, figures, cell.Part switch
        {
            GridPart.Healthy =>
            [
                ToBestPeer("p50", figures, judged, each => each.P50Ms),
                ToBestPeer("p99", figures, judged, each => each.P99Ms),
                new GridCheck("share error", figures.Median(judged, each => each.ShareError), 0.1),
            ],
            GridPart.ClosedLoop => [new GridCheck("share regained", figures.Median(judged, cell.ShareAgain), 0.5, IsLeast: true)],
            _ =>
            [
                // Shown, not judged: the median is far from the reads that a slow host delays.
                ToHealthy("p50", figures, judged, each => each.P50Ms, double.PositiveInfinity),
                ToHealthy("p99", figures, judged, each => each.P99Ms, cell.Part == GridPart.OneSlow ? 1.3 : 2),
                new GridCheck("to slow hosts", figures.Median(judged, each => each.SlowShare), 0.02),
            ],
        });
    }

    private static GridCheck ToBestPeer(string what, GridFigures figures, string judged, Func<Figures, double> of) =>
        new(what, figures.Median(judged, of) / Peers.Min(peer => figures.Median(peer.Name, of)), 1.05);

    private static GridCheck ToHealthy(string what, GridFigures figures, string judged, Func<Figures, double> of, double limit) =>
        new(what, figures.Median(judged, of) / figures.Median(GridFigures.WithoutFault(judged), of), limit);
}
