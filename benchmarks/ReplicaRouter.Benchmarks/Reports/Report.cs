using System.Text;

namespace ReplicaRouter.Benchmarks.Reports;

/// <summary>The run as a page for people, with its pictures beside it.</summary>
internal static class Report
{
    private const string Page = "README.md";

    private const string Preface = """
        # Benchmark results

        Written by `./bench`. One primary and three streaming replicas of PostgreSQL on loopback, without TLS and without `fsync`; clients, proxies and servers share
        the machine. Every arm uses the same Npgsql, statement and pool size (30 connections to a server), without prepared statements. Arms take turns,
        forwards and backwards; figures are medians over the rounds, ratios medians of the ratios within each round. Latencies in open loop count from
        the intended start of an operation. On so few cores servers and load compete: read the ratios, and read them as overhead, not as scaling.
        All programs load their code at equal addresses (docs/decisions/0012), as if each server had a processor of its own, and are in one control group: else
        Linux shares the processors out by session, each of PostgreSQL's server processes is one, and some wait for tens of ms while others run.

        - `router` opens connections through the router, `router-execute` hands it the work; `npgsql` is a plain data source for one replica,
          and `router-one-host` knows the primary and that replica only: what the router itself costs, without spreading the reads.
        - `npgsql-multihost` is Npgsql's own multi-host data source: PreferStandby, load balanced. `round-robin` is a data source for each
          replica, in turns: what spreading the reads costs by itself.
        - Ratios are to `round-robin`. Throughput is that of pools that have seen a peak of three times the workers, as an application's have; with fresh pools, before it, plain Npgsql for one
          server has exactly one connection for each worker, and several pools have some to spare (docs/decisions/0012, 0013).
        - `haproxy` balances TCP connections (leastconn, one thread); `pgbouncer` pools transactions of one replica, without balancing;
          `pgpool` balances sessions over the three replicas. Npgsql resets every connection that returns to its pool, in all arms alike.
        - Slow replicas are measured after half a second of each load, in turns of a quarter of a second with the same arm without them. Of a p99 of a few ms
          a stall of the machine still makes any figure, in one round.
        - Reads that are run twice are measured in three turns a round, among reads on healthy servers and reads that are not run twice.
        - CPU is that of client, proxy and servers together, by process accounting. Others' CPU is what else the machine did meanwhile: above a few
          percent only the costs of routing itself, which are measured in blocks of a tenth of a millisecond, can be relied on.
        - Proxies do what no router in the process can: they hold one view of the servers and one budget of connections for many processes and
          languages, and serve thousands of clients by few connections.
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
