using Microsoft.Extensions.Logging.Abstractions;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Sessions;

/// <summary>Which hosts are asked for the position of a token, and what the token holds without an answer.</summary>
public class SessionTokensTests
{
    private readonly TestTopology _topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Advance(1);
    private readonly TopologyStore _store;
    private readonly SessionTokens _tokens;
    private readonly SessionState _session;

    /// <summary>The hosts of each question, one bit each.</summary>
    private readonly List<ulong> _asked = [];
    private Func<Task> _answer = () => Task.CompletedTask;

    public SessionTokensTests()
    {
        var (configuration, time) = (_topology.Configuration, _topology.Time);
        _store = new TopologyStore(_topology.Current, time);
        _tokens = new SessionTokens(configuration, _store, AskAsync, new SessionWatcher(new RoutingCounters(configuration.Routes, configuration.Sources), time, NullLogger.Instance), time);
        _session = _tokens.NewState();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private sealed class Origin(string token) : SessionOrigin
    {
        public override IEnumerable<string?> ReadTokens() => [token];
    }

    private Task AskAsync(ulong hosts)
    {
        _asked.Add(hosts);
        return _answer();
    }

    private Task PrimaryAnswersAsync(ulong lsn)
    {
        _topology.Advance(0.001).Answer("primary", Primary(lsn)).Advance(0.001);
        _store.Update(_ => _topology.Current);
        return Task.CompletedTask;
    }

    private void Do(SessionState session, string host, bool isWrite = false)
    {
        var use = session.Begin(_topology[host].Configuration, 1, isWrite, _topology.Time.GetTimestamp());
        _topology.Advance(0.001);
        session.End(use, _topology.Time.GetTimestamp());
        _topology.Advance(0.001);
    }

    private async Task<SessionToken> TokenAsync()
    {
        var text = await _tokens.EncodeAsync(_session, Ct);
        Assert.True(SessionToken.TryDecode(text, [], out var token));
        return token;
    }

    [Fact]
    public async Task A_session_that_did_nothing_has_no_token_and_asks_no_host()
    {
        Assert.Equal("", await _tokens.EncodeAsync(_session, Ct));
        Assert.Empty(_asked);
    }

    [Fact]
    public async Task The_primary_is_asked_once_for_the_position_of_the_last_write()
    {
        _answer = () => PrimaryAnswersAsync(160);
        Do(_session, "primary", isWrite: true);
        var token = await TokenAsync();
        Assert.Equal((new WalPosition(Cluster, 1, 160), false), (token.Position, token.IsOpen));
        Assert.Equal([0b01UL], _asked);
    }

    [Fact]
    public async Task A_position_that_is_already_known_is_not_asked_for()
    {
        Do(_session, "primary", isWrite: true);
        await PrimaryAnswersAsync(160);
        Assert.Equal(160UL, (await TokenAsync()).Position.Lsn);
        Assert.Empty(_asked);
    }

    [Fact]
    public async Task Without_an_answer_the_host_itself_is_asked_too_and_then_the_next_process_must_ask()
    {
        Do(_session, "analytics");
        Assert.True((await TokenAsync()).IsOpen);
        Assert.Equal([0b01UL, 0b11UL], _asked);
    }

    [Fact]
    public async Task A_caller_that_cancels_does_not_wait_for_an_answer()
    {
        _answer = () => new TaskCompletionSource().Task;
        Do(_session, "primary", isWrite: true);
        using var caller = new CancellationTokenSource();
        var token = _tokens.EncodeAsync(_session, caller.Token).AsTask();
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => token.WaitAsync(TimeSpan.FromSeconds(30), Ct));
    }

    [Fact]
    public async Task A_session_has_news_only_beyond_the_token_that_it_began_with()
    {
        _answer = () => PrimaryAnswersAsync(160);
        Do(_session, "primary", isWrite: true);
        var first = await _tokens.EncodeAsync(_session, Ct);
        var next = _tokens.NewState(new Origin(first));
        Assert.NotEqual("", await _tokens.EncodeAsync(next, Ct));
        Assert.Equal("", await _tokens.EncodeAsync(next, Ct, isNewsOnly: true));
        _answer = () => PrimaryAnswersAsync(170);
        Do(next, "primary", isWrite: true);
        Assert.NotEqual("", await _tokens.EncodeAsync(next, Ct, isNewsOnly: true));
    }
}
