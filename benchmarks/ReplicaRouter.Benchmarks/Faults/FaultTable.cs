using System.Globalization;
using Spectre.Console;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>The figures of one scenario, one column per arm; times with their ratio to the router's.</summary>
internal static class FaultTable
{
    private static readonly Row[] s_rows =
    [
        new("operations", Unit.Count, figures => figures.Operations),
        new("errors", Unit.Count, figures => figures.Errors),
        new("write errors", Unit.Count, figures => figures.WriteErrors),
        new("cut off", Unit.Count, figures => figures.CutOff),
        new("lost", Unit.Count, figures => figures.Lost),
        new("duplicates", Unit.Count, figures => figures.Duplicates),
        new("p99 ms", Unit.Time, figures => figures.P99Ms),
        new("write p99 before ms", Unit.Time, figures => figures.WriteP99BeforeMs),
        new("write p99 during ms", Unit.Time, figures => figures.WriteP99DuringMs),
        new("max ms", Unit.Time, figures => figures.MaxMs),
        new("blocked s", Unit.Time, figures => figures.BlockedWorkerSeconds),
        new("first write ms", Unit.RecoveryTime, figures => figures.FirstWriteAfterPromotionMs),
        new("back ms", Unit.RecoveryTime, figures => figures.BackInRotationMs),
    ];

    private enum Unit
    {
        Count,
        Time,
        RecoveryTime,
    }

    public static void Write(Scenario scenario, IReadOnlyDictionary<string, Figures> arms)
    {
        var table = new Table().Title(scenario.Name).AddColumn("");
        foreach (var arm in arms.Keys) table.AddColumn(new TableColumn(arm).RightAligned());
        var router = arms.GetValueOrDefault(ArmKind.Router);
        foreach (var row in s_rows) table.AddRow([row.Title, .. arms.Values.Select(figures => row.Cell(figures, router))]);
        AnsiConsole.Write(table);
    }

    private sealed record Row(string Title, Unit Unit, Func<Figures, double?> Of)
    {
        public string Cell(Figures figures, Figures? router)
        {
            if (Of(figures) is not { } value) return "-";
            if (Unit == Unit.Count) return value.ToString("#,0", CultureInfo.InvariantCulture);
            return string.Create(CultureInfo.InvariantCulture, $"{(IsLeast(figures) ? "> " : "")}{value:#,0.0}{Ratio(figures, value, router)}");
        }

        private string Ratio(Figures figures, double value, Figures? router) =>
            router is null || figures == router || IsLeast(router) || value == 0 || Of(router) is not > 0 ? ""
            : string.Create(CultureInfo.InvariantCulture, $" ({value / Of(router):0.00}x)");

        /// <summary>Whether the run ended before the recovery, so that the time is a lower bound.</summary>
        private bool IsLeast(Figures figures) => Unit == Unit.RecoveryTime && !figures.IsRecovered;
    }
}
