namespace ReplicaRouter.Tests.Discovery;

public sealed class PatroniTopologySourceTests
{
    // The format of Patroni 3.3.
    private const string Cluster = """
        {"members": [
          {"name": "pg-1", "role": "leader", "state": "running", "api_url": "API_1", "host": "10.0.0.1", "port": 5432, "timeline": 3, "tags": {"zone": "eu-1"}},
          {"name": "pg-2", "role": "replica", "state": "streaming", "api_url": "API_2", "host": "10.0.0.2", "port": 5433, "timeline": 3, "lag": 0, "tags": {"noloadbalance": true, "nofailover": true}},
          {"name": "pg-3", "role": "replica", "state": "creating replica", "api_url": "API_3", "lag": "unknown"}
        ], "scope": "shop"}
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static PatroniTopologySource Source(params Uri[] urls) => new(urls, null, TimeSpan.FromSeconds(5), AllowedHosts.Parse([], "", []));

    [Fact]
    public async Task Members_with_an_address_become_hosts_with_their_name_role_and_tags()
    {
        await using var member = new FakePatroni { Answer = Cluster };
        var answer = await Source(member.Url).FindHostsAsync(Ct);
        Assert.Equal([("pg-1", "10.0.0.1", 5432, true), ("pg-2", "10.0.0.2", 5433, false)], answer.Hosts.Select(host => (host.Name!, host.Address, host.Port, host.IsPrimary)));
        Assert.Equal(["zone=eu-1"], answer.Hosts[0].Labels);
        Assert.Null(answer.Hosts[0].Groups);
        Assert.Empty(answer.Hosts[1].Groups!);
        Assert.Null(answer.ValidFor);
    }

    [Fact]
    public async Task The_next_member_is_asked_when_one_is_down_or_knows_no_members()
    {
        await using var lost = new FakePatroni { Answer = """{"members": []}""" };
        await using var member = new FakePatroni { Answer = Cluster };
        var answer = await Source(new Uri("http://127.0.0.1:1"), lost.Url, member.Url).FindHostsAsync(Ct);
        Assert.Equal(2, answer.Hosts.Count);
        Assert.Equal(1, lost.Questions);
    }

    [Fact]
    public async Task Members_named_by_an_answer_are_asked_when_the_configured_ones_are_down()
    {
        await using var other = new FakePatroni { Answer = Cluster };
        var configured = new FakePatroni { Answer = Cluster.Replace("API_2", other.Url.ToString(), StringComparison.Ordinal) };
        var source = Source(configured.Url);
        await source.FindHostsAsync(Ct);
        await configured.DisposeAsync();
        Assert.Equal(2, (await source.FindHostsAsync(Ct)).Hosts.Count);
        Assert.Equal(1, other.Questions);
    }

    [Fact]
    public async Task Credentials_in_the_url_are_sent_but_appear_in_no_message()
    {
        await using var member = new FakePatroni { Answer = "nonsense" };
        var url = new UriBuilder(member.Url) { UserName = "router", Password = "hunter2" }.Uri;
        var error = await Assert.ThrowsAsync<HttpRequestException>(() => Source(url).FindHostsAsync(Ct));
        Assert.Equal("Basic " + Convert.ToBase64String("router:hunter2"u8), member.Authorization);
        Assert.DoesNotContain("hunter2", error.ToString(), StringComparison.Ordinal);
    }
}
