using Accounting.Seeding;

namespace Demo.Traffic;

/// <summary>Picks random ids from the sample data that the database was seeded with.</summary>
internal sealed class SampleIds(SampleData data)
{
    public Guid Organization(Random random) => data.Organizations[random.Next(data.Organizations.Count)].Id;

    public Guid Client(Random random) => data.Clients[random.Next(data.Clients.Count)].Id;

    public Guid Document(Random random) => data.Documents[random.Next(data.Documents.Count)].Id;

    public Guid Invoice(Random random) => data.Invoices[random.Next(data.Invoices.Count)].Id;

    /// <summary>Returns a client and its organization.</summary>
    public (Guid Organization, Guid Client) ClientOfOrganization(Random random)
    {
        var client = data.Clients[random.Next(data.Clients.Count)];
        return (client.OrganizationId, client.Id);
    }
}
