using Jobs;
using Jobs.Acceptance;

namespace ReplicaRouter.Integrations.Tests.Jobs;

/// <summary>Jobs that read what was written just before they were enqueued, from replicas that are 200 ms behind.</summary>
public class JobTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(JobSystem.Channels)]
    [InlineData(JobSystem.Hangfire)]
    [InlineData(JobSystem.Quartz)]
    public async Task Every_job_sees_its_row_and_most_jobs_read_from_replicas(JobSystem system)
    {
        var report = await RunAsync(new JobRunOptions { System = system, Jobs = 500 });
        Assert.Equal((500, 500, 0), (report.Orders, report.Receipts, report.Missed));
        Assert.InRange(report.FromReplicas, 251, 500);
    }

    /// <summary>Without this, the test above would prove nothing. The replicas lag by more than a job can wait for its turn on a busy machine.</summary>
    [Theory]
    [InlineData(JobSystem.Channels)]
    [InlineData(JobSystem.Hangfire)]
    [InlineData(JobSystem.Quartz)]
    public async Task Without_tokens_jobs_miss_their_rows(JobSystem system)
    {
        var report = await RunAsync(new JobRunOptions { System = system, Jobs = 100, WithTokens = false, ApplyDelay = TimeSpan.FromSeconds(2) });
        Assert.Equal((100, 100), (report.Orders, report.Receipts));
        Assert.InRange(report.Missed, 10, 100);
    }

    [Theory]
    [InlineData(JobSystem.Hangfire)]
    [InlineData(JobSystem.Quartz)]
    public async Task Jobs_continue_after_a_promotion_and_none_is_lost(JobSystem system)
    {
        var report = await RunAsync(new JobRunOptions { System = system, Jobs = 300, WithFailover = true });
        Assert.Equal((300, 300, 0), (report.Orders, report.Receipts, report.Missed));
    }

    private static async Task<JobRunReport> RunAsync(JobRunOptions options)
    {
        var report = await JobRun.RunAsync(options, Ct);
        TestContext.Current.TestOutputHelper?.WriteLine(report.ToString());
        return report;
    }
}
