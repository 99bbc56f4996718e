using System.Text.Json;
using Accounting.Seeding;

namespace Accounting.Tests;

public sealed class SampleDataTests
{
    [Fact]
    public void The_same_seed_gives_the_same_data() => Assert.Equal(Text(SampleData.FromSeed(7)), Text(SampleData.FromSeed(7)));

    [Fact]
    public void Different_seeds_give_different_data() => Assert.NotEqual(Text(SampleData.FromSeed(7)), Text(SampleData.FromSeed(8)));

    [Fact]
    public void Paid_and_open_amounts_add_up_to_the_total() =>
        Assert.All(SampleData.FromSeed(7).Invoices, invoice => Assert.Equal(invoice.TotalAmount, invoice.PaidAmount + invoice.BalanceAmount));

    [Fact]
    public void Invoices_and_documents_belong_to_their_clients_organization()
    {
        var data = SampleData.FromSeed(7);
        var organizations = data.Clients.ToDictionary(client => client.Id, client => client.OrganizationId);
        Assert.All(data.Invoices, invoice => Assert.Equal(organizations[invoice.ClientId], invoice.OrganizationId));
        Assert.All(data.Documents, document => Assert.Equal(organizations[document.ClientId], document.OrganizationId));
    }

    private static string Text(SampleData data) => JsonSerializer.Serialize(data);
}
