namespace ReplicaRouter.Tests.Discovery;

[Trait("Failure", "C8")]
public sealed class AnswerCheckTests
{
    private const string Escape = "\u001b]0;owned\u0007";

    private static readonly DiscoveredHost s_host = new("10.0.0.7", 5432);

    public static TheoryData<string, string> Addresses() => new()
    {
        { "db,evil", "address" }, { "db evil", "address" }, { "/tmp", "address" }, { "@abstract", "address" }, { "user@db", "address" }, { "db;Password=x", "address" },
        { "db:5433", "address" }, { "", "address" }, { "db..internal", "address" }, { new string('a', 254), "address" }, { $"db{Escape}", "address" }, { "fe80::1%\u001b[2J", "address" },
        { "db\u202e", "address" }, { "[::1]", "address" },
    };

    [Theory]
    [MemberData(nameof(Addresses))]
    public void An_invalid_address_is_rejected_and_not_repeated(string address, string fault)
    {
        var error = Assert.Throws<InvalidDataException>(() => AnswerCheck.Check(new DiscoveryResult([s_host, s_host with { Address = address }])));
        Assert.Contains($"host 2 of the answer has an {fault}", error.Message, StringComparison.Ordinal);
        if (address.Length > 0) Assert.DoesNotContain(address, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("db-1.internal")]
    [InlineData("DB_1")]
    [InlineData("10.0.0.7")]
    [InlineData("fd00::1")]
    [InlineData("fe80::1%eth0")]
    [InlineData("xn--bcher-kva.example")]
    public void Valid_host_names_and_addresses_are_accepted(string address) => AnswerCheck.Check(new DiscoveryResult([s_host with { Address = address }]));

    [Fact]
    public void Invalid_ports_weights_names_labels_and_groups_are_rejected()
    {
        DiscoveredHost[] hosts =
        [
            s_host with { Port = 0 }, s_host with { Port = 65536 }, s_host with { Weight = 0 }, s_host with { Weight = 101 },
            s_host with { Name = "" }, s_host with { Name = Escape }, s_host with { Name = "a\nb" }, s_host with { Name = new string('n', 254) },
            s_host with { Labels = [Escape] }, s_host with { Labels = [new string('l', 201)] }, s_host with { Labels = [.. Enumerable.Repeat("a=b", 33)] },
            s_host with { Groups = [Escape] }, s_host with { Groups = [.. Enumerable.Repeat("read", 17)] },
        ];
        Assert.All(hosts, host =>
        {
            var error = Assert.Throws<InvalidDataException>(() => AnswerCheck.Check(new DiscoveryResult([host])));
            Assert.DoesNotContain("owned", error.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void More_hosts_than_a_router_supports_are_rejected()
    {
        static DiscoveryResult Of(int count) => new([.. Enumerable.Range(0, count).Select(number => s_host with { Port = 5432 + number })]);
        AnswerCheck.Check(Of(64));
        Assert.Throws<InvalidDataException>(() => AnswerCheck.Check(Of(65)));
    }
}
