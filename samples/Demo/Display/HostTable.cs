using System.Globalization;
using Demo.Traffic;
using ReplicaRouter;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Demo.Display;

/// <summary>The state of each host and the operations that it has answered.</summary>
internal static class HostTable
{
    private static readonly DatabaseOperation[] s_operations = Enum.GetValues<DatabaseOperation>();

    // Some headings have two lines, so that the table fits the 80 columns of a plain terminal.
    private static readonly string[] s_headings = ["host", "role", "state", "lag\nms", "latency\nms", "write", "trans-\nactional", "read", "analy-\ntics", "back-\nground"];
    private const int TextColumns = 3;

    public static IRenderable Of(DatabaseRouter router, Tally tally, IReadOnlyList<string> events)
    {
        var table = new Table().Border(TableBorder.Horizontal);
        foreach (var (index, heading) in s_headings.Index())
        {
            var column = new TableColumn(heading).Padding(0, 1);
            table.AddColumn(index < TextColumns ? column : column.RightAligned());
        }

        foreach (var (name, host) in router.GetHealthStatus()) table.AddRow([.. Row(name, host, tally).Select(cell => new Text(cell))]);
        return new Rows([table, .. events.Select(line => new Text(line))]);
    }

    private static IEnumerable<string> Row(string name, HostHealth host, Tally tally) =>
    [
        name,
        host.Role.ToString(),
        host.IsDrained ? "Drained" : host.State.ToString(),
        host.ReplicationLag is { } lag ? Number(lag.TotalMilliseconds, "0") : "-",
        Number(host.Latency.TotalMilliseconds, "0.0"),
        .. s_operations.Select(operation => Number(tally[name, operation], "N0")),
    ];

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
