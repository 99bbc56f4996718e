using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace ReplicaRouter.Benchmarks.Reports;

/// <summary>Bars beside names, as an SVG picture.</summary>
internal static class Chart
{
    private const double Width = 900;
    private const double BarHeight = 18;
    private const double Frame = 120;
    private const double LeastLogarithm = 0.01;

    // Measured by OxyPlot, names would be cut off: it does not know the font of whoever looks.
    private static readonly OxyThickness s_margins = new(150, 40, 130, 45);

    /// <param name="title">What it shows.</param>
    /// <param name="unit">Of all bars.</param>
    /// <param name="isLogarithmic">Whether values lie orders of magnitude apart.</param>
    /// <param name="names">The first is at the top.</param>
    /// <param name="series">Bars for each name, by what they are.</param>
    public static string Svg(string title, string unit, bool isLogarithmic, IReadOnlyList<string> names, params IReadOnlyList<(string Title, IReadOnlyList<double> Values)> series)
    {
        var plot = new PlotModel { Title = title, TitleFontSize = 14, TitlePadding = 12, Background = OxyColors.White, PlotMargins = s_margins };
        // Both axes of bars count from the bottom.
        plot.Axes.Add(new CategoryAxis { Position = AxisPosition.Left, ItemsSource = names, StartPosition = 1, EndPosition = 0, GapWidth = 0.4 });
        plot.Axes.Add(ValueAxis(unit, isLogarithmic));
        if (series.Count > 1)
        {
            plot.Legends.Add(new Legend { LegendPlacement = LegendPlacement.Outside, LegendPosition = LegendPosition.RightTop });
        }

        foreach (var (name, values) in series)
        {
            plot.Series.Add(new BarSeries
            {
                Title = name,
                ItemsSource = values.Select(value => new BarItem(value)).ToList(),
                BaseValue = isLogarithmic ? LeastLogarithm : 0,
                LabelFormatString = "{0:#,0.##}",
                LabelPlacement = LabelPlacement.Outside,
                LabelMargin = 14,
            });
        }

        var height = Frame + (names.Count * ((series.Count * BarHeight) + 12));
        // Not every viewer knows SVG's own way to align text.
        return new SvgExporter { Width = Width, Height = height, UseVerticalTextAlignmentWorkaround = true }.ExportToString(plot);
    }

    private static Axis ValueAxis(string unit, bool isLogarithmic)
    {
        Axis axis = isLogarithmic ? new LogarithmicAxis { Minimum = LeastLogarithm } : new LinearAxis { Minimum = 0 };
        (axis.Position, axis.Title, axis.MaximumPadding) = (AxisPosition.Bottom, unit, 0.1);
        (axis.MajorGridlineStyle, axis.MajorGridlineColor) = (LineStyle.Solid, OxyColors.LightGray);
        return axis;
    }
}
