using ReplicaRouter.Benchmarks.Reports;

namespace ReplicaRouter.Benchmarks.Micro;

/// <summary>The router's own work, step by step.</summary>
internal static class MicroTable
{
    public static Grid Of(MicroFigures figures) => new(
        "What routing itself costs: choosing a host, and opening and closing a pooled connection",
        ["", "ns", "bytes", "router's ratio to it"],
        [
            Row("GetClient, 3 hosts", figures.Pick3, null),
            Row("GetClient, 16 hosts", figures.Pick16, null),
            Row("OpenConnectionAsync: router", figures.Router, null),
            Row("OpenConnectionAsync: Npgsql, one host", figures.SingleHost, figures.Router),
            Row("OpenConnectionAsync: Npgsql multi-host", figures.MultiHost, figures.Router),
        ]);

    private static IReadOnlyList<string> Row(string name, Timing timing, Timing? router) =>
        [name, Grid.Number(timing.Nanoseconds, "0"), Grid.Number(timing.Bytes, "0"), Grid.Number(router?.RatioTo(timing), "0.00")];
}
