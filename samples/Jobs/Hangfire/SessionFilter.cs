using Hangfire.Client;
using Hangfire.Common;
using Hangfire.Server;
using ReplicaRouter;

namespace Jobs.Hangfire;

#region hangfire-filter
/// <summary>A job continues the session of the caller that enqueued it.</summary>
public sealed class SessionFilter(DatabaseRouter router) : IJobFilter, IClientFilter, IServerFilter
{
    public bool AllowMultiple => false;

    public int Order => JobFilter.DefaultOrder;

    public void OnCreating(CreatingContext context)
    {
        if (router.CurrentSession?.GetToken() is { Length: > 0 } token) context.SetJobParameter(SessionMetadata.Key, token);
    }

    public void OnCreated(CreatedContext context)
    {
    }

    // Not async: the session must also be current in the caller, which runs the job.
    public void OnPerforming(PerformingContext context) =>
        context.Items[SessionMetadata.Key] = router.BeginSession(context.GetJobParameter<string>(SessionMetadata.Key, allowStale: true));

    public void OnPerformed(PerformedContext context) => ((DatabaseSession)context.Items[SessionMetadata.Key]!).Dispose();
}
#endregion
