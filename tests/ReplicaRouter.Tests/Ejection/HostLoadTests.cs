using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Ejection;

/// <summary>What commands and probes tell of one host.</summary>
public class HostLoadTests
{
    private const ulong All = 0b111;

    private readonly FakeTimeProvider _time = new();
    private readonly HostLoad[] _loads;

    public HostLoadTests() => _loads = TestTopology.Loads(hosts: 3, routes: 1, _time);

    private HostLoad Slow => _loads[0];

    /// <summary>Whether the slow host, and no other, gets the next command: a trial.</summary>
    private bool IsTried => Slow.Ejection(0).Filter(All, _loads) == 0b001;

    private void Probe(double milliseconds, int times = 1)
    {
        for (var i = 0; i < times; i++) Slow.RecordProbe(milliseconds);
    }

    /// <summary>Ejects the slow host, so that a trial is due as soon as probes show that it is fast again.</summary>
    private void Eject()
    {
        for (var sample = 0; sample < 300; sample++)
        {
            foreach (var load in _loads) load.RecordCommand(0, 1);
        }

        for (var sample = 0; sample < 2; sample++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            Slow.RecordCommand(0, 100);
        }

        Assert.Equal(0b001UL, Slow.Ejection(0).Ejected);
        _time.Advance(TimeSpan.FromMilliseconds(25));
        Assert.False(IsTried);
    }

    [Fact]
    public void A_probe_that_takes_a_little_longer_than_usual_is_not_slow()
    {
        Probe(0.2);
        Eject();
        Probe(0.6);
        Probe(0.2);
        Assert.False(IsTried);
        Probe(0.8);
        Probe(0.2);
        Assert.True(IsTried);
    }

    [Fact]
    public void Slow_probes_of_an_ejected_host_never_become_usual()
    {
        Probe(1);
        Eject();
        Probe(10, times: 100);
        Assert.False(IsTried);
        Probe(1);
        Assert.True(IsTried);
    }

    [Fact]
    public void Longer_probes_of_a_host_in_rotation_become_usual()
    {
        Probe(1);
        Probe(10, times: 100);
        Eject();
        Probe(100);
        Assert.False(IsTried);
        Probe(11);
        Assert.True(IsTried);
    }

    [Fact]
    public void A_first_probe_with_its_login_does_not_make_slow_probes_usual()
    {
        Probe(50);
        Probe(1);
        Eject();
        Probe(20);
        Probe(1);
        Assert.True(IsTried);
    }

    [Fact]
    public void Usual_probes_make_one_trial_due_and_none_after_it_was_slow()
    {
        Probe(1);
        Eject();
        Probe(10);
        Probe(1);
        Assert.True(IsTried);
        _time.Advance(TimeSpan.FromMilliseconds(10));
        Slow.RecordCommand(0, 10);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        Probe(1);
        Assert.False(IsTried);
    }

    [Fact]
    public void A_stopped_command_does_not_show_that_failures_are_over()
    {
        Slow.RecordFailure(0, 1);
        Slow.RecordCommand(0, 1, isStopped: true);
        Assert.True(Slow.HasFailed);
        Slow.RecordCommand(0, 1);
        Assert.False(Slow.HasFailed);
    }

    [Fact]
    public void Only_durations_that_count_are_passed_on()
    {
        List<double> measured = [];
        var load = new HostLoad(0, [Slow.Ejection(0)], _time) { Measured = (_, milliseconds) => measured.Add(milliseconds) };
        for (var sample = 0; sample < 10; sample++) load.RecordCommand(0, 4);
        measured.Clear();
        load.RecordCommand(0, 1, isStopped: true);
        load.RecordFailure(0, 1);
        Assert.Empty(measured);
        load.RecordCommand(0, 20, isStopped: true);
        load.RecordFailure(0, 30);
        load.RecordCommand(0, 1);
        Assert.Equal("20 30 1", string.Join(' ', measured));
    }
}
