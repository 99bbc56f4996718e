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
    public async Task No_job_runs_before_its_row_is_visible_to_it_and_most_read_from_replicas(JobSystem system)
    {
        var report = await RunAsync(new JobRunOptions { System = system, Jobs = 500 });
        Assert.Equal((500, 500, 0), (report.Orders, report.Receipts, report.Missed));
        Assert.InRange(report.FromReplicas, 251, 500);
    }

    /// <summary>Else the test above would show nothing. The replicas are further behind than a job may have to wait for its turn on a busy machine.</summary>
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
    public async Task Jobs_go_on_after_a_promotion_and_none_is_lost(JobSystem system)
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
