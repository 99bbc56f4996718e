namespace ReplicaRouter.Simulation.Tests;

public class GridTests
{
    private static readonly GridCell s_healthy = new(GridPart.Healthy, Workload.Mixed, Processes: 1, Load: 0.7, Replicas: 3);
    private static readonly GridCell s_slow = new(GridPart.OneSlow, Workload.Lognormal, Processes: 20, Load: 0.48, Replicas: 3);
    private static readonly GridCell s_loop = new(GridPart.ClosedLoop, Workload.Lognormal, Processes: 1, Load: 0, Replicas: 3, Callers: 8);

    private static Figures Made(double p50 = 1, double p99 = 10, double shareError = 0, double slowShare = 0) => new()
    {
        Operations = 1,
        Errors = 0,
        P50Ms = p50,
        P99Ms = p99,
        P999Ms = p99,
        MaxShare = 1,
        ShareSpread = 0,
        ShareError = shareError,
        SlowShare = slowShare,
        PrimaryShare = 0,
        HedgeShare = 0,
        HedgesWon = 0,
        ProbesPerSecond = 0,
        PeakProbesPerSecond = 0,
        PeakLoginsPerSecond = 0,
        LoginsPerSecond = 0,
        PrimaryQueue = 0,
        StaleReads = 0,
        WrongDowns = 0,
        Events = 0,
        Seconds = [.. Enumerable.Repeat(new SecondFigures(p99, 1, slowShare, 0, 0, 0), 100)],
    };

    private static JudgedCell Healthy(Figures router)
    {
        var figures = new GridFigures();
        figures.Add(Policy.Router, router);
        figures.Add(Policy.RoundRobin.Name, Made(p50: 1, p99: 20));
        figures.Add(Policy.LeastInFlight.Name, Made(p50: 2, p99: 10));
        return GridJudge.Judge(s_healthy, figures);
    }

    private static JudgedCell WithSlowHost(Figures router)
    {
        var figures = new GridFigures();
        figures.Add(Policy.Router, router);
        figures.Add(GridFigures.WithoutFault(Policy.Router), Made());
        return GridJudge.Judge(s_slow, figures);
    }

    [Fact]
    public void A_healthy_cell_is_met_within_5_percent_of_its_peers_and_10_percent_share_error() =>
        Assert.True(Healthy(Made(p50: 1.04, p99: 10.4, shareError: 0.09)).IsMet);

    [Theory]
    [InlineData("p50", 1.06, 10, 0)]
    [InlineData("p99", 1, 10.6, 0)]
    [InlineData("share error", 1, 10, 0.11)]
    [InlineData("p50", double.NaN, 10, 0)]
    public void A_healthy_cell_is_missed_if_any_figure_exceeds_its_limit(string what, double p50, double p99, double shareError)
    {
        var judged = Healthy(Made(p50, p99, shareError));
        Assert.False(judged.IsMet);
        Assert.Equal(what, judged.Worst.What);
    }

    [Theory]
    [InlineData(12.9, 0.019, true)]
    [InlineData(13.1, 0.019, false)]
    [InlineData(12.9, 0.021, false)]
    public void A_cell_with_a_slow_host_is_judged_against_the_same_cell_without_the_fault(double p99, double slowShare, bool isMet) =>
        Assert.Equal(isMet, WithSlowHost(Made(p99: p99, slowShare: slowShare)).IsMet);

    [Theory]
    [InlineData(0.17, true)]
    [InlineData(0.16, false)]
    public void A_recovered_host_must_get_half_of_its_fair_share(double ofAll, bool isMet)
    {
        var figures = new GridFigures();
        figures.Add(Policy.Router, Made(slowShare: ofAll));
        Assert.Equal(isMet, GridJudge.Judge(s_loop, figures).IsMet);
    }

    [Fact]
    public void Figures_are_medians_over_the_seeds()
    {
        var figures = new GridFigures();
        foreach (var p50 in new[] { 9.0, 1, 5 }) figures.Add("three", Made(p50));
        foreach (var p50 in new[] { 9.0, 1 }) figures.Add("two", Made(p50));
        Assert.Equal((5.0, 5.0), (figures.Median("three", each => each.P50Ms), figures.Median("two", each => each.P50Ms)));
    }

    [Fact]
    public void Grid_cells_are_unique_and_filters_select_among_them()
    {
        Assert.Equal(180 + 45 + 45 + 12, GridCells.All.Distinct().Count());
        Assert.Equal(GridCells.All.Count, GridCells.All.DistinctBy(cell => cell.Name).Count());
        Assert.All(GridCells.All, cell => Assert.True(new GridFilter([]).Takes(cell)));
        Assert.Equal(12 + 3 + 3 + 4, Count(new GridFilter(["mixed"], Processes: 1)));
        Assert.Equal(60, Count(new GridFilter(["one-slow", "two-slow", "lognormal", "mixed"])));
        Assert.Equal(1, Count(new GridFilter(["healthy", "shifting"], Processes: 1000, Percent: 48, Replicas: 9)));

        static int Count(GridFilter filter) => GridCells.All.Count(filter.Takes);
    }

    [Fact]
    public void Fleets_with_a_low_request_rate_are_hedged() => Assert.All(GridCells.All.Where(cell => cell.HasSlowHosts), cell =>
        Assert.Equal(cell.RatePerSecond / cell.Processes <= 20 ? Policy.ProductHedged : Policy.Product, cell.Policies.Single()));

    [Fact]
    public void A_cell_is_measured_for_as_many_reads_as_its_percentiles_need()
    {
        var cell = s_slow with { Load = 0.2, Processes = 1 };
        var figures = GridRunner.Run(GridRunner.RunsOf(cell, EjectionSettings.Default, [1]))[cell];
        Assert.InRange(figures.Median(Policy.Router, each => each.Operations), 20_000, 50_000);
        Assert.InRange(figures.Median(GridFigures.WithoutFault(Policy.Router), each => each.ShareError), 0, 1);
    }

    [Fact]
    public void Constants_are_set_by_name_and_invalid_settings_are_refused()
    {
        var settings = new[] { "EvidenceAgainstMost=6", "History=64", "FirstPause=12.5" }.Aggregate(EjectionSettings.Default, EjectionConstants.Set);
        Assert.Equal((6.0, 64, TimeSpan.FromMilliseconds(12.5)), (settings.EvidenceAgainstMost, settings.History, settings.FirstPause));
        Assert.Equal(12.5, EjectionConstants.Get(settings, nameof(EjectionSettings.FirstPause)));
        Assert.Equal(EjectionSettings.Default, EjectionConstants.Set(settings with { History = 256, FirstPause = EjectionSettings.Default.FirstPause }, $"EvidenceAgainstMost={EjectionSettings.Default.EvidenceAgainstMost}"));
        Assert.Throws<FormatException>(() => EjectionConstants.Set(settings, "Nothing=1"));
        Assert.Throws<FormatException>(() => EjectionConstants.Set(settings, "History=many"));
    }
}
