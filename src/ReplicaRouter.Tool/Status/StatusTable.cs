using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ReplicaRouter.Tool.Status;

/// <summary>The status of all hosts as a table, with the reasons of unhealthy hosts below.</summary>
internal static class StatusTable
{
    // Some headings have two lines, so that the table fits the 80 columns of a plain terminal.
    private static readonly string[] s_headings = ["host", "address", "role", "state", "time-\nline", "lag\nms", "behind", "latency\nms", "connec-\ntions"];
    private const int TextColumns = 4;

    public static IRenderable Of(IReadOnlyList<HostStatus> hosts)
    {
        var table = new Table().Border(TableBorder.Horizontal);
        foreach (var (index, heading) in s_headings.Index())
        {
            var column = new TableColumn(heading).Padding(0, 1).NoWrap();
            table.AddColumn(index < TextColumns ? column : column.RightAligned());
        }

        foreach (var host in hosts) table.AddRow([.. Row(host)]);
        return new Rows([table, .. hosts.Where(host => host.Error is not null).Select(host => new Text($"{host.Name}: {host.Error}"))]);
    }

    private static IEnumerable<IRenderable> Row(HostStatus host) =>
    [
        new Text(host.Name),
        new Text(host.Address),
        new Text(host.Role.ToString().ToLowerInvariant()),
        new Text(host.State.ToString(), new Style(host.IsHealthy ? Color.Green : Color.Red)),
        new Text(host.Timeline?.ToString(CultureInfo.InvariantCulture) ?? "-"),
        new Text(host.LagMs is { } lag ? Number($"{lag:0}") : "-"),
        new Text(host.LagBytes is { } bytes ? Bytes(bytes) : "-"),
        new Text(host.LatencyMs is { } latency ? Number($"{latency:0.0}") : "-"),
        new Text(host.Connections is { } used ? Number($"{used} of {host.MaxConnections}") : "-"),
    ];

    /// <summary>Formats a number of bytes, such as 1.5 MB.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        < 1 << 10 => Number($"{bytes} B"),
        < 1 << 20 => Number($"{bytes / 1024.0:0.0} kB"),
        < 1 << 30 => Number($"{bytes / 1048576.0:0.0} MB"),
        _ => Number($"{bytes / 1073741824.0:0.0} GB"),
    };

    private static string Number(FormattableString text) => FormattableString.Invariant(text);
}
