using Microsoft.Extensions.Time.Testing;
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

    /// <summary>Moves the clock by a little, so that timers fire in time, and lets what they started run.</summary>
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
    public async Task A_host_that_answers_neither_a_probe_nor_a_login_hangs_and_that_is_known_within_two_deadlines_S5_H16()
    {
        _probe.Answer = Never;
        Start();
        await Pass(150);
        Assert.Equal(HostState.Healthy, Host.State);
        await Pass(100);
        Assert.Equal(HostState.Hung, Host.State);
    }

    [Fact]
    public async Task A_host_that_answers_late_has_long_work_to_do()
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
    public async Task A_question_whose_packet_was_lost_and_sent_again_after_200_ms_is_no_hang()
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
    public async Task A_busy_host_is_spared_a_login_when_it_answers_within_half_of_the_deadline_and_else_what_that_would_ask()
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
    public async Task Logins_that_hang_while_the_kept_connection_answers_leave_the_host_to_open_connections_S4()
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
    public async Task What_our_own_process_missed_while_it_stood_still_says_nothing_of_the_host_S8()
    {
        _probe.Answer = Never;
        Start();
        await Pass(800, step: 400);
        Assert.Equal(HostState.Healthy, Host.State);
    }

    [Fact]
    public async Task A_host_with_long_work_to_do_is_asked_the_less_often_the_larger_the_fleet_is()
    {
        // 450 routers may ask once in 5 s each.
        _probe.Answer = _ => Task.FromResult(Primary(100) with { Probers = 450 });
        for (var i = 0; i < 200; i++)
        {
            Start();
            await Pass(50, step: 50);
        }

        Assert.InRange(_probe.Probes, 3, 5);
    }

    [Fact]
    public async Task A_host_with_long_work_to_do_is_asked_a_few_times_a_second_and_no_more()
    {
        for (var i = 0; i < 100; i++)
        {
            Start();
            await Pass(50, step: 50);
        }

        Assert.InRange(_probe.Probes, 5, 30);
    }
}
