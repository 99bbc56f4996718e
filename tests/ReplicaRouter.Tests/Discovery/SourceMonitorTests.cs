using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Discovery;

public sealed class SourceMonitorTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly RecordingLogger _log = new();
    private readonly FakeSource _source = new();
    private readonly ConcurrentDictionary<string, FakeProbe> _probes = new();
    private readonly DatabaseRouter _router;

    public SourceMonitorTests()
    {
        var options = OptionsFor("primary", "analytics");
        options.Discovery.Add(_source);
        foreach (var allowed in (string[])["10.0.0.0/24", "*.db.internal"]) options.Discovery.AllowedHosts.Add(allowed);
        _router = new ClusterRouter(RouterConfigurationBuilder.Build(options), _log, _time, new Random(1), Probe);
    }

    private FakeProbe Probe(HostConfiguration host) => _probes[host.Name] =
        FakeProbe.Of((host.IsConfiguredPrimary ? Primary(100) : Replica(100)) with { StartedAt = host.Connection.Host!.GetHashCode(StringComparison.Ordinal) });

    public ValueTask DisposeAsync() => _router.DisposeAsync();

    private IEnumerable<string> Hosts => _router.GetHealthStatus().Keys;

    /// <summary>Moves the clock in small steps until the condition holds, because the monitor's loop runs on other threads.</summary>
    private async Task AdvanceUntil(Func<bool> condition)
    {
        for (var step = 0; step < 20_000; step++)
        {
            if (condition()) return;
            _time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        Assert.Fail("The condition never became true.");
    }

    private async Task Advance(TimeSpan span)
    {
        var end = _time.GetUtcNow() + span;
        await AdvanceUntil(() => _time.GetUtcNow() >= end);
    }

    [Fact]
    public async Task Hosts_named_by_a_source_are_added_and_removed_once_it_omits_them()
    {
        _source.Answer = new DiscoveryResult([new("10.0.0.7", 5432), new("10.0.0.8", 5432) { Name = "pg-8", Groups = ["analytics"], Labels = ["zone=a"], Weight = 4 }]);
        await AdvanceUntil(() => Hosts.Count() == 4);
        Assert.Equal(["primary", "analytics", "10.0.0.7", "pg-8"], Hosts);
        var added = _router.Engine.Topology.Hosts[3].Configuration;
        Assert.Equal(("10.0.0.8:5432", "app", "secret", 4), (added.Endpoint, added.Connection.Username, added.Connection.Password, added.Weight));
        Assert.Equal(["analytics"], added.Groups);
        Assert.Equal(["zone=a"], added.Labels);
        Assert.Equal(["read"], _router.Engine.Topology.Hosts[2].Configuration.Groups);

        _source.Answer = new DiscoveryResult([new("10.0.0.7", 5432)]);
        await AdvanceUntil(() => Hosts.Count() == 3);
        Assert.DoesNotContain("pg-8", Hosts);
    }

    [Fact]
    public async Task Configured_hosts_keep_their_settings_and_names()
    {
        _source.Answer = new DiscoveryResult([new("10.0.0.2", 5432) { Name = "other" }, new("10.0.0.7", 5432) { Name = "Analytics" }]);
        await AdvanceUntil(() => Hosts.Contains("10.0.0.7:5432"));
        Assert.Equal(["primary", "analytics", "10.0.0.7:5432"], Hosts);
    }

    [Fact]
    public async Task An_empty_answer_an_error_and_silence_change_nothing_and_are_logged_once_H45()
    {
        await AdvanceUntil(() => Hosts.Count() == 3);

        _source.Answer = new DiscoveryResult([]);
        var asks = _source.Asks;
        await AdvanceUntil(() => _source.Asks >= asks + 3);
        Assert.Contains("the answer names no host", Assert.Single(_log[330]), StringComparison.Ordinal);
        _source.Answer = null;
        asks = _source.Asks;
        await AdvanceUntil(() => _source.Asks >= asks + 2);
        _source.IsSilent = true;
        asks = _source.Asks;
        await AdvanceUntil(() => _source.Asks >= asks + 2);
        Assert.Single(_log[330]);
        Assert.Equal(3, Hosts.Count());

        (_source.IsSilent, _source.Answer) = (false, new DiscoveryResult([new("10.0.0.8", 5432)]));
        await AdvanceUntil(() => Hosts.Contains("10.0.0.8"));
        await AdvanceUntil(() => _log[331].Count == 1);
        Assert.DoesNotContain("10.0.0.7", Hosts);
    }

    [Fact]
    public async Task An_answer_with_an_invalid_host_changes_nothing()
    {
        _source.Answer = new DiscoveryResult([new("10.0.0.7", 5432), new("db,evil", 5432)]);
        await AdvanceUntil(() => _log[330].Count == 1);
        Assert.DoesNotContain("db,evil", Hosts);
    }

    [Fact]
    [Trait("Failure", "C2")]
    public async Task Hosts_that_are_not_allowed_are_ignored_and_reported_once()
    {
        _source.Answer = new DiscoveryResult([new("10.0.0.7", 5432), new("pg-8.db.internal", 5432), new("evil.example.com", 5433) { Name = "pg-9" }]);
        await AdvanceUntil(() => _source.Asks >= 4);
        Assert.Equal(["primary", "analytics", "10.0.0.7", "pg-8.db.internal"], Hosts);
        Assert.Contains("evil.example.com:5433", Assert.Single(_log[332]), StringComparison.Ordinal);
        Assert.Equal(["evil.example.com:5433"], Assert.Single(_router.Engine.SourceReports)!.Refused);
    }

    [Fact]
    [Trait("Failure", "C2")]
    public async Task An_answer_with_only_disallowed_hosts_changes_nothing()
    {
        await AdvanceUntil(() => Hosts.Contains("10.0.0.7"));
        _source.Answer = new DiscoveryResult([new("evil.example.com", 5432)]);
        await AdvanceUntil(() => _log[330].Count == 1);
        Assert.Contains("only hosts that Discovery:AllowedHosts does not allow", _log[330][0], StringComparison.Ordinal);
        Assert.Equal(["primary", "analytics", "10.0.0.7"], Hosts);
    }

    [Fact]
    [Trait("Failure", "C8")]
    public async Task A_host_named_after_another_hosts_address_does_not_replace_that_host()
    {
        _source.Answer = new DiscoveryResult([new("10.0.0.7", 5432) { Name = "10.0.0.8:5432" }, new("10.0.0.8", 5432) { Name = "analytics" }]);
        await AdvanceUntil(() => Hosts.Contains("10.0.0.8:5432"));
        Assert.Equal(["primary", "analytics", "10.0.0.8:5432"], Hosts);
    }

    [Fact]
    [Trait("Failure", "C8")]
    public async Task The_error_of_a_source_is_logged_as_one_plain_line()
    {
        _source.Error = new IOException("gone\r\n\u001b[2Jforged " + new string('x', 10_000));
        _source.Answer = null;
        await AdvanceUntil(() => _log[330].Count == 1);
        Assert.DoesNotContain(_log[330][0], char.IsControl);
        Assert.True(_log[330][0].Length < 800);
    }

    [Fact]
    public async Task An_answer_is_valid_for_the_time_it_states()
    {
        _source.Answer = new DiscoveryResult([new("10.0.0.7", 5432)]) { ValidFor = TimeSpan.FromSeconds(60) };
        await AdvanceUntil(() => _source.Asks == 2);
        await Advance(TimeSpan.FromSeconds(50));
        Assert.Equal(2, _source.Asks);
        await Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(3, _source.Asks);
    }

    [Fact]
    public async Task Losing_the_primary_triggers_discovery_at_once()
    {
        _source.Answer = new DiscoveryResult([new("10.0.0.7", 5432)]) { ValidFor = TimeSpan.FromHours(1) };
        await AdvanceUntil(() => _source.Asks == 2 && _router.Engine.Topology.Primary is not null);
        _probes["primary"].Answer = _ => throw new IOException("gone");
        await AdvanceUntil(() => _source.Asks == 3);
    }

    [Fact]
    public async Task The_primary_is_kept_when_a_source_omits_it()
    {
        _source.Answer = new DiscoveryResult([new("10.0.0.7", 5432) { Name = "pg-7" }, new("10.0.0.8", 5432) { Name = "pg-8" }]);
        await AdvanceUntil(() => Hosts.Count() == 4);
        _probes["primary"].Answer = _ => throw new IOException("gone");
        _probes["pg-7"].Answer = _ => Task.FromResult(Primary(200, timeline: 2));
        await AdvanceUntil(() => _router.Engine.Topology.Primary?.Name == "pg-7");
        _source.Answer = new DiscoveryResult([new("10.0.0.8", 5432) { Name = "pg-8" }]);
        var asks = _source.Asks;
        await AdvanceUntil(() => _source.Asks >= asks + 3);
        Assert.Equal(["primary", "analytics", "pg-7", "pg-8"], Hosts);
    }

    private sealed class FakeSource : IHostDiscoverySource
    {
        private int _asks;

        public string Name => "fake";

        public int Asks => Volatile.Read(ref _asks);

        /// <summary>The answer; null throws <see cref="Error"/>.</summary>
        public DiscoveryResult? Answer { get; set; } = new([new("10.0.0.7", 5432)]);

        public Exception Error { get; set; } = new IOException("the registry is down");

        public bool IsSilent { get; set; }

        public async Task<DiscoveryResult> FindHostsAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _asks);
            if (IsSilent) await Task.Delay(Timeout.Infinite, cancellationToken);
            return Answer ?? throw Error;
        }
    }
}
