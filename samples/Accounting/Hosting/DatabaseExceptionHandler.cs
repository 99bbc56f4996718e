using Microsoft.AspNetCore.Diagnostics;
using Npgsql;
using ReplicaRouter;

namespace Accounting.Hosting;

/// <summary>Turns a database failure into a response that shows whose fault it is and whether a retry helps.</summary>
internal sealed class DatabaseExceptionHandler(IProblemDetailsService problems, ILogger<DatabaseExceptionHandler> logger)
    : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        var (status, title) = CauseOf(exception) switch
        {
            PostgresException { SqlState: PostgresErrorCodes.ForeignKeyViolation } =>
                (StatusCodes.Status400BadRequest, "The request names an organization or client that does not exist."),
            NoEligibleHostException => (StatusCodes.Status503ServiceUnavailable, "No database server can serve this request at the moment."),
            NpgsqlException { IsTransient: true } => (StatusCodes.Status503ServiceUnavailable, "The database is not available at the moment."),
            _ => default,
        };
        if (title is null) return false;

        if (status == StatusCodes.Status503ServiceUnavailable)
        {
            // The reasons of the hosts are for the operator, not for the client.
            logger.LogWarning("{Title} {Reason}", title, CauseOf(exception).Message);
            context.Response.Headers.RetryAfter = "1";
        }

        context.Response.StatusCode = status;
        return await problems.TryWriteAsync(new() { HttpContext = context, ProblemDetails = { Title = title, Status = status } });
    }

    // Entity Framework wraps exceptions of the server and the router.
    private static Exception CauseOf(Exception exception) => exception is not NpgsqlException && exception.InnerException is { } inner ? CauseOf(inner) : exception;
}
