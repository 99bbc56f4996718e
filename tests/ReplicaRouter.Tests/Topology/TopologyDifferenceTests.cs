using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Topology;

public class TopologyDifferenceTests
{
    private static TopologyDifference Between(string[] present, DatabaseRouterOptions wanted) =>
        TopologyDifference.Between(RouterConfigurationBuilder.Build(OptionsFor(present)).Hosts, RouterConfigurationBuilder.Build(wanted).Hosts);

    [Fact]
    public void A_host_with_the_same_name_and_address_keeps_its_index()
    {
        var wanted = new DatabaseRouterOptions();
        foreach (var (name, number) in new[] { ("background", 3), ("primary", 1) }) wanted.Hosts[name] = new DatabaseHostOptions { ConnectionString = $"postgresql://other:changed@10.0.0.{number}/app" };
        var difference = Between(["primary", "analytics", "background"], wanted);
        Assert.Equal([("primary", 0), ("background", 2)], difference.Kept.Select(pair => (pair.After.Name, pair.After.Index)));
        Assert.All(difference.Kept, pair => Assert.False(pair.After.IsReachedAs(pair.Before)));
        Assert.Equal(["analytics"], difference.Removed.Select(host => host.Name));
        Assert.Empty(difference.Added);
    }

    [Fact]
    public void The_same_name_with_another_address_is_another_host()
    {
        var wanted = OptionsFor("primary", "analytics");
        wanted.Hosts["analytics"].ConnectionString = "postgresql://app:secret@10.0.0.9/app";
        var difference = Between(["primary", "analytics"], wanted);
        Assert.Equal(["10.0.0.9:5432"], difference.Added.Select(host => host.Endpoint));
        Assert.Equal(["10.0.0.2:5432"], difference.Removed.Select(host => host.Endpoint));
    }

    [Fact]
    public void A_change_of_weight_is_distinguished_from_a_change_of_connection()
    {
        var wanted = OptionsFor("primary", "analytics");
        wanted.Hosts["analytics"].Weight = 3;
        var (before, after) = Between(["primary", "analytics"], wanted).Kept[1];
        Assert.True(after.IsReachedAs(before));
        Assert.False(after.ServesAs(before));
    }
}
