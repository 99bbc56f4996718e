using Accounting.Clients;
using Accounting.Documents;
using Accounting.Invoices;
using Accounting.Jobs;
using Accounting.Organizations;
using Bogus;

namespace Accounting.Seeding;

/// <summary>Generated books of a few organizations. The same seed gives exactly the same data, including ids.</summary>
public sealed class SampleData
{
    private static readonly string[] s_industries = ["construction", "healthcare", "hospitality", "manufacturing", "retail", "technology", "transport"];
    private static readonly string[] s_categories = ["receipt", "invoice", "bank_statement", "tax_form", "contract"];
    private static readonly string[] s_jobs = ["send_reminders", "sync_bank_feed", "close_month", "export_ledger"];

    // The end of two years of business. A fixed date, because today's would give different data every day.
    private static readonly DateTimeOffset s_end = new(2026, 7, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Faker _faker;

    private SampleData(int seed)
    {
        _faker = new Faker { Random = new Randomizer(seed) };
        Organizations = Make(5, NewOrganization);
        Clients = Make(500, NewClient);
        Invoices = Make(3_000, NewInvoice);
        Documents = Make(1_500, NewDocument);
        Jobs = Make(400, NewJob);
    }

    public IReadOnlyList<Organization> Organizations { get; }
    public IReadOnlyList<Client> Clients { get; }
    public IReadOnlyList<Invoice> Invoices { get; }
    public IReadOnlyList<Document> Documents { get; }
    public IReadOnlyList<JobExecution> Jobs { get; }

    public static SampleData FromSeed(int seed) => new(seed);

    private static T[] Make<T>(int count, Func<int, T> make) => [.. Enumerable.Range(0, count).Select(make)];

    private Organization NewOrganization(int index) => new()
    {
        Id = _faker.Random.Guid(),
        Name = $"{_faker.Name.LastName()} {_faker.PickRandom("Accounting", "Advisors", "Bookkeeping")}",
        CreatedAt = s_end.AddYears(-2),
    };

    private Client NewClient(int index)
    {
        var name = _faker.Company.CompanyName();
        var createdAt = RandomTime();
        return new()
        {
            Id = _faker.Random.Guid(),
            OrganizationId = Organizations[index % Organizations.Count].Id,
            BusinessName = name,
            PrimaryContactEmail = _faker.Internet.Email(provider: "example.com").ToLowerInvariant(),
            Industry = _faker.PickRandom(s_industries),
            Status = _faker.Random.WeightedRandom(["active", "prospect", "inactive"], [0.8f, 0.1f, 0.1f]),
            AnnualRevenue = _faker.Random.Int(50, 20_000) * 1_000m,
            CreatedAt = createdAt,
            UpdatedAt = createdAt,
        };
    }

    private Invoice NewInvoice(int index)
    {
        var client = _faker.PickRandom((IList<Client>)Clients);
        var createdAt = RandomTime();
        var total = _faker.Random.Int(20_000, 2_000_000) / 100m;
        var status = _faker.Random.WeightedRandom(["sent", "partial", "paid", "overdue"], [0.3f, 0.2f, 0.4f, 0.1f]);
        var paid = status switch { "paid" => total, "partial" => decimal.Round(total / 3, 2), _ => 0 };
        return new()
        {
            Id = _faker.Random.Guid(),
            OrganizationId = client.OrganizationId,
            ClientId = client.Id,
            Number = $"INV-{index + 1:00000}",
            InvoiceDate = DateOnly.FromDateTime(createdAt.UtcDateTime),
            TotalAmount = total,
            PaidAmount = paid,
            BalanceAmount = total - paid,
            Status = status,
            CreatedAt = createdAt,
            UpdatedAt = createdAt,
        };
    }

    private Document NewDocument(int index)
    {
        var client = _faker.PickRandom((IList<Client>)Clients);
        var createdAt = RandomTime();
        var status = _faker.Random.WeightedRandom(["completed", "pending", "failed"], [0.85f, 0.1f, 0.05f]);
        var name = _faker.System.FileName("pdf");
        var category = _faker.PickRandom(s_categories);
        return new()
        {
            Id = _faker.Random.Guid(),
            OrganizationId = client.OrganizationId,
            ClientId = client.Id,
            Name = name,
            Category = category,
            OcrStatus = status,
            OcrText = status == "completed" ? $"{category}: {name}" : null,
            OcrProcessedAt = status == "completed" ? createdAt.AddMinutes(1) : null,
            DeletedAt = _faker.Random.Bool(0.03f) ? createdAt.AddDays(1) : null,
            CreatedAt = createdAt,
        };
    }

    private JobExecution NewJob(int index)
    {
        var status = _faker.Random.WeightedRandom(["completed", "failed", "queued"], [0.7f, 0.2f, 0.1f]);
        return new()
        {
            Id = _faker.Random.Guid(),
            OrganizationId = _faker.PickRandom((IList<Organization>)Organizations).Id,
            JobName = _faker.PickRandom(s_jobs),
            Status = status,
            Attempts = status == "queued" ? 0 : _faker.Random.Int(1, 5),
            Error = status == "failed" ? _faker.PickRandom("timeout", "connection reset", "bank feed unavailable") : null,
            CreatedAt = RandomTime(),
        };
    }

    private DateTimeOffset RandomTime() => s_end.AddMinutes(-_faker.Random.Int(1, 2 * 365 * 24 * 60));
}
