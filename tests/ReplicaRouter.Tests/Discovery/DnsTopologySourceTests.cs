using System.Net;

namespace ReplicaRouter.Tests.Discovery;

public sealed class DnsTopologySourceTests : IAsyncDisposable
{
    private readonly FakeDnsServer _server = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Task<DiscoveryResult> FindAsync(string name) => new DnsTopologySource(name, 5433, _server.EndPoint).FindHostsAsync(Ct);

    [Fact]
    public async Task Each_address_of_a_name_is_a_host_until_the_record_expires()
    {
        _server.Addresses = [IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2"), IPAddress.Parse("fd00::1")];
        _server.TimeToLive = 42;
        var answer = await FindAsync("replicas.test");
        Assert.Equal(["10.0.0.1:5433", "10.0.0.2:5433", "fd00::1:5433"], answer.Hosts.Select(host => $"{host.Address}:{host.Port}").Order(StringComparer.Ordinal));
        Assert.Equal(TimeSpan.FromSeconds(42), answer.ValidFor);
    }

    [Fact]
    public async Task Each_target_of_an_SRV_record_is_a_host_with_its_port_and_weight()
    {
        _server.Services = [("db-1.test", 5432, 10), ("db-2.test", 5434, 300)];
        var answer = await FindAsync("_postgresql._tcp.test");
        Assert.Equal([("db-1.test", 5432, 3), ("db-2.test", 5434, 100)], answer.Hosts.Select(host => (host.Address, host.Port, host.Weight)));
    }

    [Fact]
    public async Task A_name_that_does_not_exist_has_no_hosts()
    {
        _server.ResponseCode = 3;
        Assert.Empty((await FindAsync("replicas.test")).Hosts);
    }

    [Fact]
    public async Task A_nameserver_failure_is_an_error()
    {
        _server.ResponseCode = 2;
        await Assert.ThrowsAnyAsync<Exception>(() => FindAsync("replicas.test"));
    }
}
