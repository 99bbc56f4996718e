using Accounting.Database;
using ReplicaRouter;

namespace Accounting.Reports;

/// <summary>Aggregations over an organization's books, on the analytics replica.</summary>
public sealed class RevenueReports(DatabaseRouter router)
{
    /// <summary>Returns the amount invoiced in each month of a year, by invoice status.</summary>
    public Task<IReadOnlyList<MonthlyRevenue>> GetMonthlyRevenueAsync(Guid organizationId, int year, CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Analytics,
            (connection, token) => connection.QueryAsync<MonthlyRevenue>(
                """
                SELECT extract(month FROM invoice_date)::int AS month, status, sum(total_amount) AS total_amount, count(*) AS count
                FROM invoices
                WHERE organization_id = @organizationId AND invoice_date >= make_date(@year, 1, 1) AND invoice_date < make_date(@year + 1, 1, 1)
                GROUP BY month, status
                ORDER BY month, status
                """,
                new { organizationId, year }, token),
            cancellationToken);

    /// <summary>Returns the annual revenue of an organization's active clients, by industry.</summary>
    public Task<IReadOnlyList<IndustryRevenue>> GetRevenueByIndustryAsync(Guid organizationId, CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Analytics,
            (connection, token) => connection.QueryAsync<IndustryRevenue>(
                """
                SELECT industry, sum(annual_revenue) AS annual_revenue, count(*) AS count
                FROM clients
                WHERE organization_id = @organizationId AND status = 'active'
                GROUP BY industry
                ORDER BY annual_revenue DESC
                """,
                new { organizationId }, token),
            cancellationToken);
}
