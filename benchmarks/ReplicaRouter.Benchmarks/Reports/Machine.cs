using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Npgsql;
using ReplicaRouter.Testing;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Benchmarks.Reports;

/// <summary>The machine and the software versions of a run.</summary>
/// <param name="Facts">Facts by name, in the order of the report.</param>
internal sealed record Machine(IReadOnlyList<(string Name, string Value)> Facts)
{
    public static async Task<Machine> DescribeAsync(LocalCluster cluster, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(cluster.Primary.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(ct);
        return new(
        [
            ("machine", $"{Cpu()}, {Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GB"),
            ("system", $"{RuntimeInformation.OSDescription}, load average {File.ReadAllText("/proc/loadavg").Split(' ')[0]} at the start"),
            ("control group", CpuGroup.Own()),
            (".NET", Environment.Version.ToString()),
            ("Npgsql", typeof(NpgsqlConnection).Assembly.GetName().Version!.ToString(3)),
            ("PostgreSQL", connection.ServerVersion),
            ("HAProxy", await VersionAsync("/usr/sbin/haproxy", "-v", ct)),
            ("PgBouncer", await VersionAsync("/usr/sbin/pgbouncer", "--version", ct)),
            ("pgpool-II", await VersionAsync("/usr/sbin/pgpool", "--version", ct)),
            ("commit", await VersionAsync("git", "rev-parse --short HEAD", ct)),
            ("date", TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
        ]);
    }

    private static string Cpu() => File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown CPU";

    private static async Task<string> VersionAsync(string program, string arguments, CancellationToken ct)
    {
        var (code, output) = await Command.RunAsync(new ProcessStartInfo(program, arguments), ct);
        return code == 0 ? output.Split('\n')[0] : "not installed";
    }
}
