using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;
using ReplicaRouter.Simulation;

namespace ReplicaRouter.Benchmarks.Fleet;

/// <summary>Charts of each scenario over time.</summary>
internal static class SimulationPlots
{
    private const double Width = 900;
    private const double Height = 420;

    public static void Write(IEnumerable<Scenario> scenarios, SeedResults results, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var scenario in scenarios.Where(scenario => scenario.Policies.Count > 2))
        {
            Save(Lines(scenario, results, "p99 ms", second => second.P99Ms, isLogarithmic: true), folder, $"{scenario.Name}-p99");
            Save(Lines(scenario, results, "probes a second on the busiest host", second => second.Probes, isLogarithmic: false), folder, $"{scenario.Name}-probes");
            if (scenario.Faulty.Length > 0) Save(Lines(scenario, results, "share of the faulty hosts, %", second => 100 * second.SlowShare, isLogarithmic: false), folder, $"{scenario.Name}-share");
        }
    }

    private static PlotModel Lines(Scenario scenario, SeedResults results, string title, Func<SecondFigures, double> of, bool isLogarithmic)
    {
        var model = new PlotModel { Title = scenario.Title, TitleFontSize = 13, Background = OxyColors.White };
        model.Legends.Add(new Legend { LegendPlacement = LegendPlacement.Outside });
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Title = "seconds" });
        model.Axes.Add(isLogarithmic
            ? new LogarithmicAxis { Position = AxisPosition.Left, Title = title }
            : new LinearAxis { Position = AxisPosition.Left, Title = title, Minimum = 0 });
        foreach (var policy in scenario.Policies)
        {
            var line = new LineSeries { Title = policy.Name, StrokeThickness = policy.Name == Policy.Router ? 2.5 : 1 };
            var seconds = results[scenario.Name, policy.Name].Seconds;
            for (var second = (int)scenario.TrafficFrom.TotalSeconds; second < seconds.Count; second++) line.Points.Add(new DataPoint(second, of(seconds[second])));
            model.Series.Add(line);
        }

        return model;
    }

    private static void Save(PlotModel model, string folder, string name)
    {
        using var file = File.Create(Path.Combine(folder, $"{name}.svg"));
        new SvgExporter { Width = Width, Height = Height }.Export(model, file);
    }
}
