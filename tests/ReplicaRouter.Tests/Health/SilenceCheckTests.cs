using Microsoft.Extensions.Time.Testing;
using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Health;

public sealed class SilenceCheckTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TopologyStore _store;
    private readonly FakeProbe _probe = FakeProbe.Of(Primary(100));
    private readonly SilenceCheck _check;
    private readonly CancellationTokenSource _stop = new();

    public SilenceCheckTests()
    {
        var configuration = RouterConfigurationBuilder.Build(OptionsFor("primary"));
        _store = new TopologyStore(TopologySnapshot.Initial(configuration), _time);
        var now = _time.GetTimestamp();
        _store.Publish(new HostObservation(0, now, now, Primary(100), null));
        _check = new SilenceCheck(configuration.Hosts[0], _probe, _store, _time);
    }

    private HostSnapshot Host => _store.Current.Hosts[0];

    private static Task<HostAnswer> Never(CancellationToken stop) => new TaskCompletionSource<HostAnswer>().Task.WaitAsync(stop);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _check.DisposeAsync();
        _stop.Dispose();
    }

    /// <summary>Moves the clock in small steps, so that timers fire on time and their continuations can run.</summary>
    private async Task Pass(int milliseconds, int step = 5)
    {
        for (var passed = 0; passed < milliseconds; passed += step)
        {
            _time.Advance(TimeSpan.FromMilliseconds(step));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    private void Start(bool isLoginStalled = false) => _check.Start(isLoginStalled, _stop.Token);

    [Fact]
    public async Task A_host_that_answers_neither_probe_nor_login_is_hung_within_two_deadlines_S5_H16()
    {
        _probe.Answer = Never;
        Start();
        await Pass(150);
        Assert.Equal(HostState.Healthy, Host.State);
        await Pass(100);
        Assert.Equal(HostState.Hung, Host.State);
    }

    [Fact]
    public async Task A_host_that_answers_late_is_busy_and_stays_healthy()
    {
        var late = new TaskCompletionSource<HostAnswer>();
        _probe.Answer = _ => late.Task;
        _probe.Login = Never;
        await Pass(5);
        Start();
        await Pass(100);
        late.SetResult(Primary(200));
        await Pass(200);
        Assert.Equal((HostState.Healthy, 200UL), (Host.State, _store.Current.Wal.NewestLsn));
    }

    [Fact]
    public async Task A_probe_whose_packet_is_retransmitted_after_200_ms_is_not_a_hang()
    {
        var late = new TaskCompletionSource<HostAnswer>();
        _probe.Answer = _ => late.Task;
        _probe.Login = Never;
        await Pass(5);
        Start();
        await Pass(210);
        late.SetResult(Primary(200));
        await Pass(200);
        Assert.Equal((HostState.Healthy, 200UL), (Host.State, _store.Current.Wal.NewestLsn));
    }

    [Fact]
    public async Task A_late_answer_of_a_busy_host_cancels_the_login_started_at_half_the_deadline()
    {
        var late = new TaskCompletionSource<HostAnswer>();
        var login = CancellationToken.None;
        _probe.Answer = _ => late.Task;
        _probe.Login = cancellationToken => Never(login = cancellationToken);
        await Pass(5);
        Start();
        await Pass(60);
        Assert.Equal(CancellationToken.None, login);
        await Pass(60);
        Assert.False(login == CancellationToken.None || login.IsCancellationRequested);
        late.SetResult(Primary(200));
        await Pass(20);
        Assert.True(login.IsCancellationRequested);
        Assert.Equal(HostState.Healthy, Host.State);
    }

    [Fact]
    public async Task Hung_logins_restrict_a_host_that_still_answers_to_open_connections_S4()
    {
        _probe.Login = Never;
        Start(isLoginStalled: true);
        await Pass(700);
        Assert.Equal(HostState.Healthy, Host.State);
        await Pass(600);
        Assert.Equal(HostState.NoLogins, Host.State);
        Assert.True(Host.IsServing && Host.IsWarmOnly);

        _probe.Login = null;
        await _check.CheckLoginAsync(_stop.Token);
        Assert.Equal(HostState.Healthy, Host.State);
    }

    [Fact]
    public async Task Answers_missed_while_the_process_was_suspended_do_not_count_S8()
    {
        _probe.Answer = Never;
        Start();
        await Pass(800, step: 400);
        Assert.Equal(HostState.Healthy, Host.State);
    }

    [Fact]
    public async Task A_busy_host_is_checked_less_often_in_a_larger_fleet()
    {
        // 450 routers may each probe once in 5 s.
        _probe.Answer = _ => Task.FromResult(Primary(100) with { Probers = 450 });
        for (var i = 0; i < 200; i++)
        {
            Start();
            await Pass(50, step: 50);
        }

        Assert.InRange(_probe.Probes, 3, 5);
    }

    [Fact]
    public async Task A_busy_host_is_checked_a_few_times_a_second_at_most()
    {
        for (var i = 0; i < 100; i++)
        {
            Start();
            await Pass(50, step: 50);
        }

        Assert.InRange(_probe.Probes, 5, 30);
    }

    [Fact]
    public async Task A_check_in_progress_is_not_started_again()
    {
        _probe.Answer = Never;
        Start();
        await Pass(20);
        Start();
        await Pass(20);
        Assert.Equal(1, _probe.Probes);
    }

    [Fact]
    public async Task A_host_that_does_not_serve_is_not_checked()
    {
        var now = _time.GetTimestamp();
        _store.Publish(new HostObservation(0, now, now, null, new HostFailure(FailureKind.Unreachable, "refused")));
        _probe.Login = _ => throw new InvalidOperationException("It was asked.");
        Start();
        await _check.CheckLoginAsync(_stop.Token);
        await Pass(50);
        Assert.Equal((HostState.Down, 0), (Host.State, _probe.Probes));
    }

    [Fact]
    public async Task A_check_that_is_stopped_publishes_nothing()
    {
        _probe.Answer = Never;
        Start();
        await Pass(150);
        var before = _store.Current;
        await _stop.CancelAsync();
        await Pass(300);
        Assert.Same(before, _store.Current);
        Start();
        await Pass(50);
        Assert.Equal(1, _probe.Probes);
    }

    [Fact]
    public async Task A_failed_probe_is_published_with_its_reason()
    {
        _probe.Answer = _ => Task.FromException<HostAnswer>(new IOException("cable cut"));
        await Pass(5);
        Start();
        await Pass(20);
        Assert.Equal(HostState.Down, Host.State);
        Assert.Contains("cable cut", Host.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_login_that_succeeds_late_still_counts()
    {
        var late = new TaskCompletionSource<HostAnswer>();
        _probe.Login = _ => late.Task;
        Start(isLoginStalled: true);
        await Pass(1300);
        Assert.Equal(HostState.NoLogins, Host.State);
        late.SetResult(Primary(100));
        await Pass(5);
        Assert.Equal(HostState.Healthy, Host.State);
    }

    [Fact]
    public async Task A_refused_login_shows_why()
    {
        _probe.Login = _ => Task.FromException<HostAnswer>(new PostgresException("too many clients", "FATAL", "FATAL", PostgresErrorCodes.TooManyConnections));
        await _check.CheckLoginAsync(_stop.Token);
        Assert.Equal(HostState.Full, Host.State);
        Assert.Contains("too many clients", Host.Error, StringComparison.Ordinal);
    }
}
