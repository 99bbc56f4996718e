using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace ReplicaRouter.Benchmarks.Reports;

/// <summary>Bar charts in SVG.</summary>
internal static class Chart
{
    private const double Width = 900;
    private const double BarHeight = 18;
    private const double Frame = 120;
    private const double LeastLogarithm = 0.01;

    // Fixed, because OxyPlot does not know the viewer's font and would cut names off.
    private static readonly OxyThickness s_margins = new(150, 40, 130, 45);

    /// <param name="title">The title.</param>
    /// <param name="unit">The unit of all bars.</param>
    /// <param name="isLogarithmic">Whether values lie orders of magnitude apart.</param>
    /// <param name="names">The first is at the top.</param>
    /// <param name="series">Series of bars, each with one value per name.</param>
    public static string Svg(string title, string unit, bool isLogarithmic, IReadOnlyList<string> names, params IReadOnlyList<(string Title, IReadOnlyList<double> Values)> series)
    {
        var plot = new PlotModel { Title = title, TitleFontSize = 14, TitlePadding = 12, Background = OxyColors.White, PlotMargins = s_margins };
        // OxyPlot draws categories from the bottom up.
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
        // Not every viewer supports SVG's vertical text alignment.
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
