using ReplicaRouter.Benchmarks.Reports;

namespace ReplicaRouter.Benchmarks.Micro;

/// <summary>The router's own work as a table.</summary>
internal static class MicroTable
{
    public static Grid Of(MicroFigures figures) => new(
        "What routing itself costs: choosing a host, and opening and closing a pooled connection",
        ["", "ns", "bytes", "router's ratio to it"],
        [
            Row("GetClient, 3 hosts", figures.Pick3, null),
            Row("GetClient, 16 hosts", figures.Pick16, null),
            Row("OpenConnectionAsync: router", figures.Router, null),
            Row("OpenConnectionAsync: Npgsql, one host", figures.SingleHost, figures.ToSingleHost),
            Row("OpenConnectionAsync: Npgsql multi-host", figures.MultiHost, figures.ToMultiHost),
        ]);

    private static IReadOnlyList<string> Row(string name, Cost cost, double? ratio) =>
        [name, Grid.Number(cost.Nanoseconds, "0"), Grid.Number(cost.Bytes, "0"), Grid.Number(ratio, "0.00")];
}
