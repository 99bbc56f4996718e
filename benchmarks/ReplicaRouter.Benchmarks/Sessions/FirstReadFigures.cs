namespace ReplicaRouter.Benchmarks.Sessions;

/// <summary>A write and the first read after it, in a session.</summary>
/// <param name="PairRatio">Median time of the pair, relative to plain Npgsql on the primary alone.</param>
/// <param name="ByHandRatio">The same, relative to plain Npgsql that asks the primary for its position and a standby until it has replayed it.</param>
/// <param name="ReplicaShare">Share of the reads that a replica served.</param>
/// <param name="ReadP99Ms">The reads' 99th percentile in ms, including opening the connection.</param>
/// <param name="Stale">Reads that did not show the write.</param>
internal sealed record FirstReadFigures(double PairRatio, double ByHandRatio, double ReplicaShare, double ReadP99Ms, int Stale);
