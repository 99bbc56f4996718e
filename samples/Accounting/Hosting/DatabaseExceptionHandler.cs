using Microsoft.AspNetCore.Diagnostics;
using Npgsql;
using ReplicaRouter;

namespace Accounting.Hosting;

/// <summary>What a client is told when the database can't do it: who is to blame, and whether trying again helps.</summary>
internal sealed class DatabaseExceptionHandler(IProblemDetailsService problems, ILogger<DatabaseExceptionHandler> logger)
    : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        var (status, title) = CauseOf(exception) switch
        {
            PostgresException { SqlState: PostgresErrorCodes.ForeignKeyViolation } =>
                (StatusCodes.Status400BadRequest, "The request names an organization or client that does not exist."),
            NoEligibleHostException => (StatusCodes.Status503ServiceUnavailable, "No database server may serve this at the moment."),
            NpgsqlException { IsTransient: true } => (StatusCodes.Status503ServiceUnavailable, "The database is not available at the moment."),
            _ => default,
        };
        if (title is null) return false;

        if (status == StatusCodes.Status503ServiceUnavailable)
        {
            // The hosts' reasons are for the operator, not for whoever sent the request.
            logger.LogWarning("{Title} {Reason}", title, CauseOf(exception).Message);
            context.Response.Headers.RetryAfter = "1";
        }

        context.Response.StatusCode = status;
        return await problems.TryWriteAsync(new() { HttpContext = context, ProblemDetails = { Title = title, Status = status } });
    }

    // Entity Framework wraps what the server or the router said.
    private static Exception CauseOf(Exception exception) => exception is not NpgsqlException && exception.InnerException is { } inner ? CauseOf(inner) : exception;
}
