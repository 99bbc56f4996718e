namespace ReplicaRouter.Benchmarks.Hedges;

/// <summary>The figures of one load, or the medians of several.</summary>
/// <param name="P50Ms">From the intended start of a read until its answer.</param>
/// <param name="P99Ms">The same.</param>
/// <param name="P999Ms">The same.</param>
/// <param name="ExtraRequests">Requests sent beyond one for each read, as a share of the reads.</param>
/// <param name="Errors">Reads that failed.</param>
internal sealed record HedgeLoad(double P50Ms, double P99Ms, double P999Ms, double ExtraRequests, int Errors)
{
    public static HedgeLoad Median(IReadOnlyList<HedgeLoad> loads)
    {
        return new(Of(load => load.P50Ms), Of(load => load.P99Ms), Of(load => load.P999Ms), Of(load => load.ExtraRequests), loads.Sum(load => load.Errors));

        double Of(Func<HedgeLoad, double> figure) => Statistics.Median(loads.Select(figure));
    }
}
