namespace Accounting.Invoices;

public sealed record Invoice
{
    public required Guid Id { get; init; }
    public required Guid OrganizationId { get; init; }
    public required Guid ClientId { get; init; }
    public required string Number { get; init; }
    public required DateOnly InvoiceDate { get; init; }
    public required decimal TotalAmount { get; init; }
    public required decimal PaidAmount { get; init; }

    /// <summary>The amount still to be paid: always the total minus the paid amount.</summary>
    public required decimal BalanceAmount { get; init; }

    /// <summary><c>sent</c>, <c>partial</c>, <c>paid</c> or <c>overdue</c>.</summary>
    public required string Status { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    internal const string Columns =
        "id, organization_id, client_id, number, invoice_date, total_amount, paid_amount, balance_amount, status, created_at, updated_at";
}
