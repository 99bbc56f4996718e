namespace ReplicaRouter.AspNetCore.Tests;

/// <summary>The tables of docs/guide/telemetry.md.</summary>
internal static class TelemetryPage
{
    public static readonly string Text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "telemetry.md"));

    public static IEnumerable<Metric> Metrics =>
        from row in Rows("| metric |")
        select new Metric(row[0], row[1], row[2], [.. row[3].Split(", ", StringSplitOptions.RemoveEmptyEntries)], row[4]);

    public static IEnumerable<string> LogEvents => Rows("| id |").Select(row => $"{row[0]} {row[1]} {row[2]}");

    public static IReadOnlyList<string> ActivityAttributes => [.. Rows("| attribute | meaning |").Select(row => row[0])];

    private static IEnumerable<string[]> Rows(string header) => Text.Split('\n')
        .SkipWhile(line => !line.StartsWith(header, StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'))
        .Select(line => line.TrimStart('|').TrimEnd('|').Split('|').Select(cell => cell.Replace("`", "", StringComparison.Ordinal).Trim()).ToArray());
}

internal sealed record Metric(string Name, string Kind, string Unit, string[] Attributes, string Prometheus);
