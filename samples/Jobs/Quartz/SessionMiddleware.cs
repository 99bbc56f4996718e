using Quartz;
using ReplicaRouter;

namespace Jobs.Quartz;

#region quartz-middleware
/// <summary>A job continues the session of the caller that scheduled it.</summary>
public sealed class SessionMiddleware(DatabaseRouter router) : IJobExecutionMiddleware
{
    public async ValueTask Invoke(IJobExecutionContext context, JobExecutionDelegate next, CancellationToken cancellationToken = default)
    {
        using var session = router.BeginSession(context.MergedJobDataMap.GetString(SessionMetadata.Key));
        await next(context, cancellationToken);
    }
}
#endregion
