using System.Globalization;
using Spectre.Console;

namespace ReplicaRouter.Benchmarks.Reports;

/// <summary>A table of figures, for the console and for the report.</summary>
/// <param name="Title">The title.</param>
/// <param name="Columns">The headings; the first column holds names.</param>
/// <param name="Rows">The cells.</param>
internal sealed record Grid(string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>Formats a figure; a dash if there is none.</summary>
    public static string Number(double? value, string format) => value is { } number && double.IsFinite(number) ? number.ToString(format, CultureInfo.InvariantCulture) : "-";

    public void Print()
    {
        var table = new Table().Title(Markup.Escape(Title));
        for (var i = 0; i < Columns.Count; i++)
        {
            var column = new TableColumn(Columns[i]);
            table.AddColumn(i == 0 ? column : column.RightAligned());
        }

        foreach (var row in Rows) table.AddRow([.. row.Select(Markup.Escape)]);
        AnsiConsole.Write(table);
    }

    public string ToMarkdown() => string.Join('\n',
    [
        $"### {Title}", "", Line(Columns), Line(Columns.Select((_, i) => i == 0 ? "---" : "---:")), .. Rows.Select(Line),
    ]);

    private static string Line(IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |";
}
