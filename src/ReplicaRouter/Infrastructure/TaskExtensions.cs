namespace ReplicaRouter.Infrastructure;

internal static class TaskExtensions
{
    /// <summary>Ignores a task's error: no caller waits for the task any more, and the error shows nothing new.</summary>
    public static void Forget(this Task task) =>
        task.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Waits for a task up to a limit. Returns whether it ended, successfully or not.</summary>
    public static async Task<bool> EndsWithinAsync(this Task task, TimeSpan limit, TimeProvider time, CancellationToken stop)
    {
        await task.WaitAsync(limit, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompleted;
    }

    /// <summary>Returns the result of a task that ran synchronously; blocks if it had to wait for something after all.</summary>
    public static T Wait<T>(this ValueTask<T> task) => task.IsCompletedSuccessfully ? task.Result : task.AsTask().GetAwaiter().GetResult();
}
