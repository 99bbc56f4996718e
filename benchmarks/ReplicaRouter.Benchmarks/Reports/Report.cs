using System.Text;

namespace ReplicaRouter.Benchmarks.Reports;

/// <summary>The report of a run: a Markdown page and its charts.</summary>
internal static class Report
{
    private const string Page = "README.md";

    private const string Preface = """
        # Benchmark results

        Written by `./bench`. One primary and three streaming replicas of PostgreSQL on loopback, without TLS and without `fsync`; clients, proxies and servers share
        the machine. Every arm uses the same Npgsql, statement and pool size (30 connections to a server), without prepared statements. Arms take turns,
        forwards and backwards; figures are medians over the rounds, ratios medians of the ratios within each round. Open-loop latencies count from
        the intended start of an operation. On so few cores, servers and load compete: read the ratios, and read them as overhead, not as scaling.
        All programs load their code at equal addresses (docs/decisions/0012), as if each server had its own processor, and are in one control group: otherwise
        Linux divides the processors by session, each PostgreSQL backend is one, and some wait for tens of ms while others run.

        - `router` opens connections through the router, `router-execute` passes it the work; `npgsql` is a plain data source for one replica,
          and `router-one-host` knows the primary and that replica only: the cost of the router itself, without spreading reads.
        - `npgsql-multihost` is Npgsql's own multi-host data source: PreferStandby, load balanced. `round-robin` is one data source for each
          replica, in turns: the cost of spreading reads alone.
        - Ratios are to `round-robin`. Throughput is that of pools after a peak of three times the workers, as an application's are; with fresh pools, before the peak, plain Npgsql for one
          server has exactly one connection for each worker, and arms with several pools have spare ones (docs/decisions/0012, 0013).
        - `haproxy` balances TCP connections (leastconn, one thread); `pgbouncer` pools transactions on one replica, without balancing;
          `pgpool` balances sessions over the three replicas. In all arms Npgsql resets every connection that returns to its pool.
        - Slow replicas are measured from half a second into each load, in turns of a quarter of a second with the same arm without them. In a single round,
          a stall of the machine can dominate a p99 of a few ms.
        - Hedged reads are measured in three turns a round, alternating with reads on healthy servers and unhedged reads.
        - CPU is that of client, proxy and servers together, by process accounting. Others' CPU is other work of the machine: above a few
          percent, rely only on the costs of routing itself, which are measured in blocks of a tenth of a millisecond.
        - Proxies do what no in-process router can: they hold one view of the servers and one connection budget for many processes and
          languages, and serve thousands of clients over few connections.
        """;

    public static async Task WriteAsync(Results results, string folder, CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        var page = new StringBuilder(Preface).Append("\n\n");
        foreach (var (name, value) in results.Machine.Facts) page.Append($"- {name}: {value}\n");
        foreach (var table in Tables.Of(results)) page.Append($"\n{table.ToMarkdown()}\n");
        foreach (var (file, svg) in Charts.Of(results))
        {
            await File.WriteAllTextAsync(Path.Combine(folder, file), svg, ct);
            page.Append($"\n![{Path.GetFileNameWithoutExtension(file)}]({file})\n");
        }

        await File.WriteAllTextAsync(Path.Combine(folder, Page), page.ToString(), ct);
    }
}
