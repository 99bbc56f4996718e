using System.ComponentModel.DataAnnotations;

namespace Accounting.Reports;

internal static class ReportEndpoints
{
    public static void MapReports(this IEndpointRouteBuilder app)
    {
        var reports = app.MapGroup("/reports");

        reports.MapGet("/monthly-revenue", (Guid organizationId, [Range(1900, 9998)] int year, RevenueReports service, CancellationToken cancellationToken) =>
            service.GetMonthlyRevenueAsync(organizationId, year, cancellationToken));

        reports.MapGet("/revenue-by-industry", (Guid organizationId, RevenueReports service, CancellationToken cancellationToken) =>
            service.GetRevenueByIndustryAsync(organizationId, cancellationToken));
    }
}
