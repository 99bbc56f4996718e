namespace ReplicaRouter.Tests.Configuration;

[Trait("Failure", "C2")]
public sealed class AllowedHostsTests
{
    private static AllowedHosts Of(params string[] entries)
    {
        List<string> faults = [];
        var allowed = AllowedHosts.Parse(entries, "key", faults);
        Assert.Empty(faults);
        return allowed;
    }

    [Theory]
    [InlineData("db-1.internal", "db-1.internal", true)]
    [InlineData("db-1.internal", "DB-1.Internal", true)]
    [InlineData("db-1.internal", "db-1.internal.evil.com", false)]
    [InlineData("db-1.internal", "xdb-1.internal", false)]
    [InlineData("*.db.internal", "pg-1.db.internal", true)]
    [InlineData("*.db.internal", "a.b.DB.internal", true)]
    [InlineData("*.db.internal", "db.internal", false)]
    [InlineData("*.db.internal", "evildb.internal", false)]
    [InlineData("*.db.internal", "db.internal.evil.com", false)]
    [InlineData("10.0.0.0/8", "10.255.0.1", true)]
    [InlineData("10.0.0.0/8", "11.0.0.1", false)]
    [InlineData("10.0.0.0/8", "::ffff:10.0.0.1", true)]
    [InlineData("10.0.0.0/8", "10.evil.com", false)]
    [InlineData("10.0.0.7", "10.0.0.7", true)]
    [InlineData("10.0.0.7", "10.0.0.8", false)]
    [InlineData("fd00::/8", "fd00::1", true)]
    [InlineData("fd00::/8", "fe80::1", false)]
    [InlineData("fd00::1", "FD00:0:0::1", true)]
    [InlineData("*.5", "10.0.0.5", false)]
    public void A_host_is_allowed_by_name_suffix_address_or_network(string entry, string address, bool isAllowed) =>
        Assert.Equal(isAllowed, Of(entry).Allow(address));

    [Fact]
    public void One_matching_entry_is_enough_and_an_empty_list_allows_all()
    {
        Assert.True(Of("db-1", "10.0.0.0/8").Allow("10.0.0.1"));
        Assert.True(Of("db-1", "10.0.0.0/8").Allow("db-1"));
        Assert.True(Of().Allow("anything"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("*.")]
    [InlineData("db-*.internal")]
    [InlineData("10.0.0.0/33")]
    [InlineData("http://db-1")]
    [InlineData("user:hunter2@db-1")]
    public void An_invalid_entry_is_rejected_at_start_and_not_repeated(string entry)
    {
        var options = TestTopology.OptionsFor("primary");
        options.Discovery.AllowedHosts.Add("db-1");
        options.Discovery.AllowedHosts.Add(entry);
        var error = Assert.Throws<DatabaseRouterConfigurationException>(() => RouterConfigurationBuilder.Build(options));
        Assert.Contains("ReplicaRouter:Discovery:AllowedHosts:1 is not a host", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error.Message, StringComparison.Ordinal);
    }
}
