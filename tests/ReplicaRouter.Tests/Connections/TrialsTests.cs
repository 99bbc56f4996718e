namespace ReplicaRouter.Tests.Connections;

public class TrialsTests : LatencyTest
{
    private Trials Trials => Latency.Trials;

    /// <summary>Choices that come one each ms.</summary>
    private bool IsTriedNext()
    {
        Time.Advance(TimeSpan.FromMilliseconds(1));
        return Trials.IsDue(isIdle: true, isNear: false);
    }

    [Fact]
    public void A_host_that_is_left_out_is_tried_as_soon_as_a_probe_takes_as_long_as_usual_and_else_after_some_choices()
    {
        Record(5, 40);
        Assert.False(Trials.IsDue(isIdle: true, isNear: false));
        Trials.OnProbed(isUsual: false);
        Assert.False(Trials.IsDue(isIdle: true, isNear: false));
        Trials.OnProbed(isUsual: true);
        Assert.False(Trials.IsDue(isIdle: false, isNear: false));
        Assert.True(Trials.IsDue(isIdle: true, isNear: false));
        Record(4);
        Assert.Equal(4, Latency.Ms, 3);

        var unprobed = new RouteLatency(Time);
        for (var i = 0; i < 5; i++) Record(unprobed, 40);
        Assert.Equal(200, Enumerable.Range(1, 399).First(_ => unprobed.Trials.IsDue(isIdle: true, isNear: false)));
    }

    [Fact]
    public void Each_failed_trial_doubles_the_choices_until_the_next_up_to_sixteen_hundred()
    {
        Record(5, 40);
        var trials = 0;
        // After 100, 200, 400, 800, and then each 1,600.
        for (var choice = 0; choice < 8000; choice++)
        {
            var isTried = IsTriedNext();
            Trials.OnProbed(isUsual: true);
            if (!isTried) continue;
            trials++;
            Record(40);
        }

        Assert.InRange(trials, 8, 9);
    }

    [Fact]
    public void However_many_choices_there_are_trials_cost_time_as_well_up_to_1600_ms()
    {
        Record(5, 40);
        List<TimeSpan> trials = [];
        var start = Time.GetTimestamp();
        for (var ms = 0; ms < 5000; ms++)
        {
            Time.Advance(TimeSpan.FromMilliseconds(1));
            for (var choice = 0; choice < 20; choice++)
            {
                Trials.OnProbed(isUsual: true);
                if (!Trials.IsDue(isIdle: true, isNear: false)) continue;
                trials.Add(Time.GetElapsedTime(start));
                Latency.Record(40);
            }
        }

        Assert.Equal([50, 100, 200, 400, 800, 1600], trials.Zip(trials.Skip(1), (one, next) => (int)(next - one).TotalMilliseconds / 25 * 25).Take(6));
    }

    [Fact]
    public void Trials_of_a_host_that_is_well_for_its_trial_only_become_rarer_as_well()
    {
        var trials = 0;
        for (var choice = 0; choice < 8000; choice++)
        {
            if (!Trials.IsLeftOut) Record(5, 40);
            var isTried = IsTriedNext();
            Trials.OnProbed(isUsual: true);
            if (!isTried) continue;
            trials++;
            Record(1, 1);
            Trials.IsToComeBack(Time.GetTimestamp(), moment: 0);
        }

        Assert.InRange(trials, 8, 16);
    }

    [Fact]
    public void While_probes_are_slow_too_a_trial_costs_fifty_times_as_many_choices()
    {
        Record(5, 40);
        Assert.Equal(1, Enumerable.Range(0, 10_000).Count(_ =>
        {
            Trials.OnProbed(isUsual: false);
            if (!Trials.IsDue(isIdle: true, isNear: false)) return false;
            Record(40);
            return true;
        }));
    }

    [Fact]
    public void A_failed_trial_does_not_forget_that_probes_are_slow()
    {
        Record(5, 40);
        Trials.IsDue(isIdle: true, isNear: false);
        Trials.OnProbed(isUsual: false);
        var trials = 0;
        for (var choice = 0; choice < 30_000; choice++)
        {
            if (!IsTriedNext()) continue;
            trials++;
            Record(40);
        }

        Assert.InRange(trials, 2, 3);
    }

    [Fact]
    public void Forgotten_it_starts_anew()
    {
        Record(5, 40);
        Latency.Reset();
        Assert.Equal(0, Latency.Ms);
        Record(5, 1);
        Assert.Equal(1, Latency.Ms, 3);
    }

    [Fact]
    public void A_trial_that_is_slow_by_little_is_repeated_once_at_once_as_the_first_command_may_have_met_cold_caches()
    {
        Record(5, 4);
        Assert.False(Trials.IsDue(isIdle: true, isNear: true));
        Trials.OnProbed(isUsual: true);
        Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(Trials.IsDue(isIdle: true, isNear: true));
        Assert.False(Trials.IsDue(isIdle: false, isNear: true));
        Record(4);
        Assert.True(Trials.IsDue(isIdle: true, isNear: true));
        Record(1);
        Assert.Equal(1, Latency.Ms, 3);

        Record(4);
        Assert.False(Trials.IsDue(isIdle: true, isNear: true), "once");
    }

    [Fact]
    public void One_that_stays_slow_by_little_gets_one_command_a_trial_in_the_end()
    {
        Record(5, 4);
        List<int> trials = [];
        for (var choice = 0; choice < 12_000; choice++)
        {
            Time.Advance(TimeSpan.FromMilliseconds(1));
            var isTried = Trials.IsDue(isIdle: true, isNear: true);
            Trials.OnProbed(isUsual: true);
            if (!isTried) continue;
            trials.Add(choice);
            Record(4);
        }

        Assert.Equal([true, false, true, false, true, false, true, false, true, true, true], trials.Zip(trials.Prepend(-100), (one, before) => one - before > 1).Take(11));
    }

    [Fact]
    public void After_a_long_slowness_the_first_probe_that_is_as_fast_as_before_has_it_tried_soon_and_twice()
    {
        Record(5, 4);
        Trials.IsDue(isIdle: true, isNear: true);
        Trials.OnProbed(isUsual: false);
        for (var trials = 0; trials < 8;)
        {
            if (!IsTriedNext()) continue;
            trials++;
            Record(4);
        }

        Assert.False(IsTriedNext());
        Trials.OnProbed(isUsual: true);
        Time.Advance(TimeSpan.FromMilliseconds(400));
        Assert.InRange(Enumerable.Range(0, 800).TakeWhile(_ => !Trials.IsDue(isIdle: true, isNear: true)).Count(), 0, 799);
        Record(4);
        Assert.True(Trials.IsDue(isIdle: true, isNear: true), "cold caches");
    }

    [Fact]
    public void A_trial_that_is_slow_beyond_chance_is_not_repeated()
    {
        Record(5, 40);
        Trials.IsDue(isIdle: true, isNear: false);
        Trials.OnProbed(isUsual: true);
        Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(Trials.IsDue(isIdle: true, isNear: false));
        Record(40);
        Assert.False(Trials.IsDue(isIdle: true, isNear: false));
    }
}
