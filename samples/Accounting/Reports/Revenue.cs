namespace Accounting.Reports;

/// <param name="Month">1 to 12.</param>
public sealed record MonthlyRevenue(int Month, string Status, decimal TotalAmount, long Count);

public sealed record IndustryRevenue(string Industry, decimal AnnualRevenue, long Count);
