using System.Globalization;

namespace Jobs.Acceptance;

/// <summary>What the jobs have seen.</summary>
/// <param name="Orders">Orders that were placed and enqueued, both acknowledged.</param>
/// <param name="Receipts">Orders that a job has handled.</param>
/// <param name="Missed">Jobs that did not find their order.</param>
/// <param name="FromReplicas">Jobs that read from a replica.</param>
/// <param name="Repeated">Calls of producers that failed, and were made again: by the failover.</param>
/// <param name="Took">The whole run.</param>
public sealed record JobRunReport(int Orders, int Receipts, int Missed, int FromReplicas, int Repeated, TimeSpan Took)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Orders} orders, {Receipts} receipts, {Orders - Receipts} lost, {Missed} missed, {FromReplicas} read from replicas, {Repeated} calls repeated, {Took.TotalSeconds:0} s");
}
