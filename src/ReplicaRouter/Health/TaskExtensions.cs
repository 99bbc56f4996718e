namespace ReplicaRouter;

internal static class TaskExtensions
{
    /// <summary>Lets a task end unobserved: nobody waits for it any more, and its error tells nothing new.</summary>
    public static void Forget(this Task task) =>
        task.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
