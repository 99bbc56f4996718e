using System.Globalization;
using ReplicaRouter.Benchmarks.Reports;

namespace ReplicaRouter.Benchmarks.Memory;

/// <summary>The router's memory and that of plain data sources, as a table.</summary>
internal static class MemoryTable
{
    public static Grid Of(MemoryFigures figures) => new(
        string.Create(CultureInfo.InvariantCulture, $"Memory for {figures.Hosts} hosts after {figures.Operations:#,0} opened and closed connections"),
        ["", "held KB", "gen 0", "gen 1", "gen 2"],
        [
            Row("router, with Npgsql's pools", figures.Router),
            Row("as many plain data sources", figures.Plain),
            ["the router itself", Kilobytes(figures.RouterItself), "", "", ""],
        ]);

    private static IReadOnlyList<string> Row(string name, MemoryUse use) =>
        [name, Kilobytes(use.HeldBytes), Grid.Number(use.Gen0, "0"), Grid.Number(use.Gen1, "0"), Grid.Number(use.Gen2, "0")];

    private static string Kilobytes(long bytes) => Grid.Number(bytes / 1024.0, "#,0");
}
