using System.Globalization;

namespace Jobs.Acceptance;

/// <summary>The results of a run.</summary>
/// <param name="Orders">Orders that were placed.</param>
/// <param name="Receipts">Orders that a job has processed.</param>
/// <param name="Missed">Jobs that did not find their order.</param>
/// <param name="FromReplicas">Jobs that read from a replica.</param>
/// <param name="Repeated">Producers' calls that failed because of the failover and were repeated.</param>
/// <param name="Took">The duration of the run.</param>
public sealed record JobRunReport(int Orders, int Receipts, int Missed, int FromReplicas, int Repeated, TimeSpan Took)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Orders} orders, {Receipts} receipts, {Orders - Receipts} lost, {Missed} missed, {FromReplicas} read from replicas, {Repeated} calls repeated, {Took.TotalSeconds:0} s");
}
