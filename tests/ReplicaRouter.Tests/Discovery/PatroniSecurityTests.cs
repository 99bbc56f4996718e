using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ReplicaRouter.Tests.Discovery;

/// <summary>What an attacker who runs a Patroni member or controls the network can do to the source.</summary>
[Trait("Failure", "C8")]
public sealed class PatroniSecurityTests : IDisposable
{
    private readonly TestCertificates _certificates = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _certificates.Dispose();

    private static string Cluster(Uri? api = null, int members = 1) => $$"""
        {"members": [{{string.Join(", ", Enumerable.Range(1, members).Select(number => $$"""{"name": "pg-{{number}}", "role": "replica", "api_url": "{{api}}", "host": "10.0.0.{{number}}", "port": 5432}"""))}}]}
        """;

    private static Uri WithUser(Uri url) => new UriBuilder(url) { UserName = "router", Password = "hunter2" }.Uri;

    private IHostDiscoverySource Source(Uri url, bool withAuthority = false, string? allowed = null)
    {
        var options = TestTopology.OptionsFor("primary");
        options.Discovery.Patroni.Urls.Add(url.ToString());
        if (withAuthority) options.Discovery.Patroni.CertificateAuthorityFile = _certificates.File;
        if (allowed is not null) options.Discovery.AllowedHosts.Add(allowed);
        return RouterConfigurationBuilder.Build(options).Sources.Single();
    }

    [Fact]
    public async Task Members_named_by_an_answer_get_no_credentials()
    {
        await using var other = RawMember.Answering("200 OK", Cluster());
        var configured = RawMember.Answering("200 OK", Cluster(other.Url));
        var source = Source(WithUser(configured.Url));
        await source.FindHostsAsync(Ct);
        Assert.Contains("Authorization: Basic", configured.Requests.Single(), StringComparison.Ordinal);

        await configured.DisposeAsync();
        await source.FindHostsAsync(Ct);
        Assert.DoesNotContain("Authorization", other.Requests.Single(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Members_that_are_not_allowed_are_not_contacted()
    {
        await using var other = RawMember.Answering("200 OK", Cluster());
        var configured = RawMember.Answering("200 OK", Cluster(other.Url));
        var source = Source(configured.Url, allowed: "10.0.0.0/8");
        await source.FindHostsAsync(Ct);
        await configured.DisposeAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => source.FindHostsAsync(Ct));
        Assert.Empty(other.Requests);
    }

    [Fact]
    public async Task An_https_answer_cannot_redirect_the_source_to_a_plain_http_member()
    {
        await using var other = RawMember.Answering("200 OK", Cluster());
        var configured = RawMember.Answering("200 OK", Cluster(other.Url), _certificates.Issue());
        var source = Source(configured.Url, withAuthority: true);
        await source.FindHostsAsync(Ct);
        await configured.DisposeAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => source.FindHostsAsync(Ct));
        Assert.Empty(other.Requests);
    }

    [Fact]
    public async Task Redirects_are_not_followed()
    {
        await using var other = RawMember.Answering("200 OK", Cluster());
        await using var configured = RawMember.Answering($"302 Found\r\nLocation: {other.Url}cluster");
        await Assert.ThrowsAsync<HttpRequestException>(() => Source(WithUser(configured.Url)).FindHostsAsync(Ct));
        Assert.Empty(other.Requests);
    }

    [Fact]
    public async Task An_endless_answer_is_aborted_after_a_megabyte()
    {
        const int Most = 16 << 20;
        var sent = 0;
        await using var member = new RawMember(async stream =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[\""u8.ToArray());
            var block = Encoding.ASCII.GetBytes(new string('a', 1 << 16));
            for (; sent < Most; sent += block.Length) await stream.WriteAsync(block);
        });
        await Assert.ThrowsAsync<HttpRequestException>(() => Source(member.Url).FindHostsAsync(Ct));
        Assert.True(sent < Most, "The source read the whole body.");
    }

    [Fact]
    public async Task An_answer_with_more_members_than_a_router_supports_is_rejected()
    {
        await using var member = RawMember.Answering("200 OK", Cluster(members: 65));
        var error = await Assert.ThrowsAsync<HttpRequestException>(() => Source(member.Url).FindHostsAsync(Ct));
        Assert.Contains("more than 64 members", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_with_a_certificate_from_the_configured_authority_is_trusted()
    {
        await using var member = RawMember.Answering("200 OK", Cluster(), _certificates.Issue());
        Assert.Equal("10.0.0.1", (await Source(member.Url, withAuthority: true).FindHostsAsync(Ct)).Hosts.Single().Address);
    }

    [Theory]
    [InlineData("127.0.0.2", 30, true)]
    [InlineData("127.0.0.1", -1, true)]
    [InlineData("127.0.0.1", 30, false)]
    public async Task A_member_with_a_wrong_expired_or_unknown_certificate_gets_no_request(string address, int days, bool withAuthority)
    {
        await using var member = RawMember.Answering("200 OK", Cluster(), _certificates.Issue(address, days));
        await Assert.ThrowsAsync<HttpRequestException>(() => Source(WithUser(member.Url), withAuthority).FindHostsAsync(Ct));
        Assert.Empty(member.Requests);
    }

    [Fact]
    public async Task A_tag_that_cannot_be_displayed_is_not_used_as_a_label()
    {
        await using var member = RawMember.Answering("200 OK", """
            {"members": [{"name": "pg-1", "role": "leader", "host": "10.0.0.1", "port": 5432, "tags": {"zone": "eu-1", "note": "\u001b[2J", "long": "LONG"}}]}
            """.Replace("LONG", new string('x', 1000), StringComparison.Ordinal));
        Assert.Equal(["zone=eu-1"], (await Source(member.Url).FindHostsAsync(Ct)).Hosts.Single().Labels);
    }

    [Theory]
    [InlineData("no certificate at all", "without a certificate")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "contains a damaged certificate")]
    [InlineData(null, "does not exist")]
    public void An_unusable_authority_file_is_a_configuration_fault(string? content, string fault)
    {
        if (content is null) File.Delete(_certificates.File);
        else File.WriteAllText(_certificates.File, content);
        var error = Assert.Throws<DatabaseRouterConfigurationException>(() => Source(new Uri("https://127.0.0.1:1"), withAuthority: true));
        Assert.Contains(fault, error.Message, StringComparison.Ordinal);
    }
}
