using Accounting.Clients;
using Accounting.Documents;
using Accounting.Invoices;
using Accounting.Jobs;
using Accounting.Organizations;
using Npgsql;
using ReplicaRouter;

namespace Accounting.Seeding;

/// <summary>Fills an empty database with <see cref="SampleData"/>. Uses COPY, which loads a few thousand rows in a fraction of a second.</summary>
public sealed class Seed(DatabaseRouter router)
{
    public const int DefaultSeed = 42;

    /// <summary>Seeds the database, unless an organization exists.</summary>
    public async Task RunAsync(CancellationToken cancellationToken, int seed = DefaultSeed)
    {
        // The client is Npgsql's own data source, so COPY works as usual.
        var primary = router.GetClient(DatabaseOperation.Write);
        await using var connection = await primary.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!await LockIfEmptyAsync(connection, cancellationToken)) return;

        var data = SampleData.FromSeed(seed);
        await CopyAsync(connection, data.Organizations, Organization, cancellationToken);
        await CopyAsync(connection, data.Clients, Client, cancellationToken);
        await CopyAsync(connection, data.Invoices, Invoice, cancellationToken);
        await CopyAsync(connection, data.Documents, Document, cancellationToken);
        await CopyAsync(connection, data.Jobs, Job, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static (string Table, string Columns, Func<Organization, object?[]> Row) Organization =>
        ("organizations", "id, name, created_at", row => [row.Id, row.Name, row.CreatedAt]);

    private static (string Table, string Columns, Func<Client, object?[]> Row) Client =>
        ("clients", "id, organization_id, business_name, primary_contact_email, industry, status, annual_revenue, created_at, updated_at",
            row => [row.Id, row.OrganizationId, row.BusinessName, row.PrimaryContactEmail, row.Industry, row.Status, row.AnnualRevenue, row.CreatedAt, row.UpdatedAt]);

    private static (string Table, string Columns, Func<Invoice, object?[]> Row) Invoice =>
        ("invoices", "id, organization_id, client_id, number, invoice_date, total_amount, paid_amount, balance_amount, status, created_at, updated_at",
            row => [row.Id, row.OrganizationId, row.ClientId, row.Number, row.InvoiceDate, row.TotalAmount, row.PaidAmount, row.BalanceAmount, row.Status, row.CreatedAt, row.UpdatedAt]);

    private static (string Table, string Columns, Func<Document, object?[]> Row) Document =>
        ("documents", "id, organization_id, client_id, name, category, ocr_status, ocr_text, ocr_processed_at, deleted_at, created_at",
            row => [row.Id, row.OrganizationId, row.ClientId, row.Name, row.Category, row.OcrStatus, row.OcrText, row.OcrProcessedAt, row.DeletedAt, row.CreatedAt]);

    private static (string Table, string Columns, Func<JobExecution, object?[]> Row) Job =>
        ("job_executions", "id, organization_id, job_name, status, attempts, error, created_at",
            row => [row.Id, row.OrganizationId, row.JobName, row.Status, row.Attempts, row.Error, row.CreatedAt]);

    private static async Task<bool> LockIfEmptyAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // Instances that start at the same time seed one after another, so only the first finds the table empty.
        await using var takeLock = new NpgsqlCommand("LOCK TABLE organizations IN SHARE ROW EXCLUSIVE MODE", connection);
        await takeLock.ExecuteNonQueryAsync(cancellationToken);
        await using var isEmpty = new NpgsqlCommand("SELECT NOT EXISTS (SELECT FROM organizations)", connection);
        return (bool)(await isEmpty.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task CopyAsync<T>(
        NpgsqlConnection connection, IReadOnlyList<T> rows, (string Table, string Columns, Func<T, object?[]> Row) target, CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginBinaryImportAsync($"COPY {target.Table} ({target.Columns}) FROM STDIN (FORMAT binary)", cancellationToken);
        foreach (var row in rows) await copy.WriteRowAsync(cancellationToken, target.Row(row));
        await copy.CompleteAsync(cancellationToken);
    }
}
