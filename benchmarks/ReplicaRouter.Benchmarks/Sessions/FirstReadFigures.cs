namespace ReplicaRouter.Benchmarks.Sessions;

/// <summary>A write and the first read after it, in a session.</summary>
/// <param name="PairRatio">Time of the pair, that of plain Npgsql on the primary alone being 1; the medians.</param>
/// <param name="ReplicaShare">Share of the reads that a replica served.</param>
/// <param name="ReadP99Ms">The reads' 99th percentile, with their opening.</param>
/// <param name="Stale">Reads that did not show the write.</param>
internal sealed record FirstReadFigures(double PairRatio, double ReplicaShare, double ReadP99Ms, int Stale);
