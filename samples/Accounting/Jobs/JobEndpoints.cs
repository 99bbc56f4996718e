namespace Accounting.Jobs;

internal static class JobEndpoints
{
    public static void MapJobs(this IEndpointRouteBuilder app) =>
        app.MapGet("/jobs/failed", (JobService jobs, CancellationToken cancellationToken) => jobs.GetFailedAsync(cancellationToken));
}
