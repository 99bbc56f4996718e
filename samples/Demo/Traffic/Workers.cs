using Accounting.Clients;
using Accounting.Documents;
using Accounting.Invoices;
using Accounting.Jobs;
using Accounting.Organizations;
using Accounting.Reports;
using Microsoft.Extensions.DependencyInjection;
using ReplicaRouter;
using static ReplicaRouter.DatabaseOperation;

namespace Demo.Traffic;

/// <summary>Simulates the application's users, one method per kind of user. Each call is one round.</summary>
internal sealed class Workers(IServiceProvider services, SampleIds ids, Tally tally)
{
    private static readonly string[] s_categories = ["receipt", "invoice", "bank_statement", "tax_form", "contract"];

    private readonly DatabaseRouter _router = services.GetRequiredService<DatabaseRouter>();
    private readonly OrganizationService _organizations = services.GetRequiredService<OrganizationService>();
    private readonly ClientService _clients = services.GetRequiredService<ClientService>();
    private readonly InvoiceService _invoices = services.GetRequiredService<InvoiceService>();
    private readonly PaymentService _payments = services.GetRequiredService<PaymentService>();
    private readonly DocumentService _documents = services.GetRequiredService<DocumentService>();
    private readonly OcrQueue _ocrQueue = services.GetRequiredService<OcrQueue>();
    private readonly RevenueReports _reports = services.GetRequiredService<RevenueReports>();
    private readonly JobService _jobs = services.GetRequiredService<JobService>();

    /// <summary>Lists and looks up records.</summary>
    public Task BrowseAsync(Random random, CancellationToken token) => random.Next(8) switch
    {
        0 => tally.CountAsync(Read, () => _organizations.ListAsync(token)),
        1 => tally.CountAsync(Read, () => _clients.ListAsync(ids.Organization(random), 20, token)),
        2 => tally.CountAsync(Read, () => _invoices.ListAsync(ids.Organization(random), 20, token)),
        3 => tally.CountAsync(Read, () => _documents.GetAsync(ids.Document(random), token)),
        _ => tally.CountAsync(Read, () => _clients.GetAsync(ids.Client(random), token)),
    };

    /// <summary>Adds a client, changes it, and reads it immediately after each write, in a session, so that the reads see the writes.</summary>
    public async Task TakeOnClientAsync(Random random, CancellationToken token)
    {
        using var session = _router.BeginSession();
        var request = new CreateClient
        {
            OrganizationId = ids.Organization(random),
            BusinessName = $"Client {random.Next(1_000_000)}",
            PrimaryContactEmail = "contact@example.com",
        };
        var created = await tally.CountAsync(Write, () => _clients.CreateAsync(request, token));
        if (!created.Succeeded) return;
        var client = created.Result!;
        await LookAtAsync(client, token);

        var updated = await tally.CountAsync(Write, () => _clients.UpdateAnnualRevenueAsync(client.Id, random.Next(1, 1_000) * 1_000m, token));
        if (updated is { Succeeded: true, Result: { } changed }) await LookAtAsync(changed, token);
    }

    /// <summary>Files a document.</summary>
    public Task FileDocumentAsync(Random random, CancellationToken token)
    {
        var (organization, client) = ids.ClientOfOrganization(random);
        var request = new CreateDocument
        {
            OrganizationId = organization,
            ClientId = client,
            Name = $"scan-{random.Next(1_000_000)}.pdf",
            Category = s_categories[random.Next(s_categories.Length)],
        };
        return tally.CountAsync(Write, () => _documents.CreateAsync(request, token));
    }

    /// <summary>Pays a small part of an invoice, or checks its balance.</summary>
    public Task PayAsync(Random random, CancellationToken token) => random.Next(4) == 0
        ? tally.CountAsync(Transactional, () => _invoices.GetRecentAsync(ids.Invoice(random), token))
        : tally.CountAsync(Transactional, () => _payments.ProcessInvoicePaymentAsync(ids.Invoice(random), random.Next(1, 500) / 100m, token));

    /// <summary>Requests a report.</summary>
    public Task ReportAsync(Random random, CancellationToken token) => random.Next(3) switch
    {
        0 => tally.CountAsync(Analytics, () => _reports.GetMonthlyRevenueAsync(ids.Organization(random), random.Next(2024, 2027), token)),
        1 => tally.CountAsync(Analytics, () => _reports.GetRevenueByIndustryAsync(ids.Organization(random), token)),
        _ => tally.CountAsync(Analytics, () => _documents.GetStatsByCategoryAsync(ids.Organization(random), token)),
    };

    /// <summary>Looks for jobs to retry.</summary>
    public Task WatchJobsAsync(Random random, CancellationToken token) => tally.CountAsync(Background, () => _jobs.GetFailedAsync(token));

    /// <summary>Does the work of the application's OCR worker, and counts each step for the server that answered it.</summary>
    public async Task ProcessOcrQueueAsync(Random random, CancellationToken token)
    {
        var pending = await tally.CountAsync(Background, () => _ocrQueue.FindPendingAsync(5, token));
        if (pending.Result is not { Count: > 0 } candidates) return;

        var claimed = await tally.CountAsync(Write, () => _ocrQueue.ClaimAsync(candidates, token));
        foreach (var document in claimed.Result ?? [])
            await tally.CountAsync(Write, () => _ocrQueue.CompleteAsync(document, OcrWorker.RecogniseText(document), token));
    }

    /// <summary>Reads the client back. Nothing else writes to it, so any other answer is stale.</summary>
    private async Task LookAtAsync(Client written, CancellationToken token)
    {
        var seen = await tally.CountAsync(Read, () => _clients.GetAsync(written.Id, token));
        if (seen.Succeeded && seen.Result?.AnnualRevenue != written.AnnualRevenue) tally.CountStaleRead();
    }
}
