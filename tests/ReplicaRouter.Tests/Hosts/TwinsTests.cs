using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Hosts;

/// <summary>Which of two hosts serves that lead to the same server.</summary>
public class TwinsTests
{
    private readonly TestTopology _topology = new("primary", "analytics", "background");

    private HostConfiguration Discovered(string name, int index) => _topology["primary"].Configuration with
    {
        Name = name,
        Index = index,
        AddedAt = 1,
        IsDiscovered = true,
        Connection = new NpgsqlConnectionStringBuilder { Host = $"10.0.9.{index}" },
    };

    private void Have(params HostConfiguration[] hosts) => _topology.Change(current => current.WithHosts(hosts, _topology.Time));

    [Fact]
    public void A_configured_host_serves_in_place_of_a_discovered_one_whatever_their_order()
    {
        Have(_topology["primary"].Configuration, Discovered("pg-2", 1), _topology["background"].Configuration);
        _topology.Answer("primary", Primary(100)).Answer("pg-2", Replica(100)).Answer("background", Replica(100));
        Assert.Equal(("background", null), (_topology["pg-2"].DuplicateOf, _topology["background"].DuplicateOf));
    }

    [Fact]
    public void Of_two_discovered_hosts_the_first_serves()
    {
        Have(_topology["primary"].Configuration, Discovered("pg-2", 1), Discovered("pg-3", 2));
        _topology.Answer("primary", Primary(100)).Answer("pg-2", Replica(100)).Answer("pg-3", Replica(100));
        Assert.Equal((null, "pg-2"), (_topology["pg-2"].DuplicateOf, _topology["pg-3"].DuplicateOf));
    }

    [Fact]
    public void A_discovered_host_serves_while_its_configured_twin_does_not()
    {
        Have(_topology["primary"].Configuration, Discovered("pg-2", 1), _topology["background"].Configuration);
        _topology.Answer("primary", Primary(100)).Answer("pg-2", Replica(100)).Answer("background", Replica(100)).Fail("background", FailureKind.Unreachable);
        Assert.Null(_topology["pg-2"].DuplicateOf);
    }

    [Fact]
    public void Another_server_is_no_twin()
    {
        Have(_topology["primary"].Configuration, Discovered("pg-2", 1), _topology["background"].Configuration);
        _topology.Answer("primary", Primary(100)).Answer("pg-2", Replica(100)).Answer("background", Replica(100) with { StartedAt = 2 });
        Assert.Null(_topology["pg-2"].DuplicateOf);
    }
}
