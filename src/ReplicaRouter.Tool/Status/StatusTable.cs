using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ReplicaRouter.Tool.Status;

/// <summary>How the hosts stand, as a table with the reasons of those that are not healthy below.</summary>
internal static class StatusTable
{
    public static IRenderable Of(IReadOnlyList<HostStatus> hosts)
    {
        var table = new Table().Border(TableBorder.Horizontal).AddColumns("host", "address", "role", "state");
        foreach (var heading in (string[])["timeline", "lag", "behind", "latency", "connections"]) table.AddColumn(new TableColumn(heading).RightAligned());
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
        new Text(host.LagMs is { } lag ? Number($"{lag:0} ms") : "-"),
        new Text(host.LagBytes is { } bytes ? Bytes(bytes) : "-"),
        new Text(Number($"{host.LatencyMs:0.0} ms")),
        new Text(host.Connections is { } used ? Number($"{used} of {host.MaxConnections}") : "-"),
    ];

    /// <summary>A number of bytes, short, as in 1.5 MB.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        < 1 << 10 => Number($"{bytes} B"),
        < 1 << 20 => Number($"{bytes / 1024.0:0.0} kB"),
        < 1 << 30 => Number($"{bytes / 1048576.0:0.0} MB"),
        _ => Number($"{bytes / 1073741824.0:0.0} GB"),
    };

    private static string Number(FormattableString text) => FormattableString.Invariant(text);
}
