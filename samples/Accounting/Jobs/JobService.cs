using Accounting.Database;
using ReplicaRouter;

namespace Accounting.Jobs;

public sealed class JobService(DatabaseRouter router)
{
    /// <summary>Number of attempts after which a job is abandoned.</summary>
    public const int MaxAttempts = 3;

    /// <summary>Returns the failed jobs that can be retried, oldest first, from the background replica.</summary>
    public Task<IReadOnlyList<JobExecution>> GetFailedAsync(CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Background,
            (connection, token) => connection.QueryAsync<JobExecution>(
                """
                SELECT id, organization_id, job_name, status, attempts, error, created_at
                FROM job_executions
                WHERE status = 'failed' AND attempts < @MaxAttempts
                ORDER BY created_at, id
                """,
                new { MaxAttempts }, token),
            cancellationToken);
}
