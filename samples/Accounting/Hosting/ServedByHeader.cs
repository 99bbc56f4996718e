using System.Globalization;
using Accounting.Database;

namespace Accounting.Hosting;

/// <summary>For development: adds a header to every response that shows which servers answered, such as <c>X-Served-By: 5433</c>.</summary>
internal static class ServedByHeader
{
    public static void UseServedByHeader(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        using var servedBy = ServedBy.Capture();
        context.Response.OnStarting(() =>
        {
            var ports = servedBy.Ports.Distinct().Select(port => port.ToString(CultureInfo.InvariantCulture));
            context.Response.Headers["X-Served-By"] = string.Join(", ", ports);
            return Task.CompletedTask;
        });
        await next(context);
    });
}
