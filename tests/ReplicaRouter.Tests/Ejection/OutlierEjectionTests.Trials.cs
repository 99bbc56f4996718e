using System.Numerics;

namespace ReplicaRouter.Tests.Ejection;

public partial class OutlierEjectionTests
{
    [Fact]
    public void A_chosen_trial_is_the_only_one_until_it_ends_or_takes_too_long()
    {
        EjectSlow();
        Run(Fast, 1, times: 200);
        Ejection.OnChosen(Fast);
        Assert.True(IsIn(Slow));
        Ejection.OnChosen(Slow);
        Assert.False(IsIn(Slow));
        _time.Advance(TimeSpan.FromMilliseconds(25));
        Assert.True(IsIn(Slow));
        Ejection.OnChosen(Slow);
        Assert.False(IsIn(Slow));
        Run(Slow, 1);
        Assert.True(IsIn(Slow));
    }

    [Fact]
    public void On_a_quiet_route_an_ejected_host_gets_a_trial_after_a_minute()
    {
        EjectSlow();
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(IsIn(Slow));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(IsIn(Slow));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(2_000, true)]
    public void A_host_that_was_fast_only_for_its_trials_keeps_its_long_pauses(int commandsInBetween, bool isTriedSoon)
    {
        EjectSlow();
        for (var trial = 0; trial < 3; trial++)
        {
            Run(Fast, 1, times: 200);
            Run(Slow, 10);
        }

        Run(Fast, 1, times: 201);
        Run(Slow, 1, times: 2);
        Assert.Equal(0UL, Ejection.Ejected);
        Run(Slow, 1, commandsInBetween);
        Run(Slow, 100, times: 2);
        Assert.NotEqual(0UL, Ejection.Ejected);
        Run(Fast, 0.5, times: 200);
        Assert.Equal(isTriedSoon, IsIn(Slow));
        Run(Fast, 1, times: 101);
        Assert.True(IsIn(Slow));
    }

    /// <summary>One in ten commands takes five times as long as the others.</summary>
    [Fact]
    public void A_trial_that_is_a_longer_command_of_the_usual_mix_is_soon_followed_by_another()
    {
        for (var i = 0; i < 30; i++)
        {
            for (var host = Slow; host <= Fast; host++) RunMix(host, times: 10);
        }

        Run(Slow, 100, times: 2);
        for (var trial = 0; trial < 3; trial++)
        {
            RunMix(Fast, times: 200);
            Run(Slow, 100);
        }

        RunMix(Fast, times: 200);
        Assert.True(IsIn(Slow));
        Run(Slow, 5);
        Assert.False(IsIn(Slow));
        // The next pause after a slow trial would be 400 ms; the mix takes 280 ms.
        RunMix(Fast, times: 200);
        Assert.True(IsIn(Slow));

        void RunMix(int host, int times)
        {
            for (var i = 0; i < times; i++) Run(host, i % 10 == 9 ? 5 : 1);
        }
    }

    [Fact]
    public void All_ejected_hosts_together_get_one_in_two_hundred_commands_as_trials()
    {
        const ulong FiveHosts = 0b11111;
        const int Commands = 4_000;
        var loads = TestTopology.Loads(hosts: 5, routes: 1, _time);
        var ejection = loads[0].Ejection(0);
        for (var i = 0; i < 300; i++)
        {
            for (var host = 0; host < 5; host++) Take(host, 10);
        }

        foreach (var host in new[] { 0, 0, 1, 1 }) Take(host, 1_000);
        Assert.Equal(0b00011UL, ejection.Ejected);
        var trials = 0;
        for (var i = 0; i < Commands; i++)
        {
            var host = BitOperations.TrailingZeroCount(ejection.Filter(FiveHosts, loads));
            Take(host, host < 2 ? 1_000 : 10);
            if (host < 2) trials++;
        }

        Assert.InRange(trials, 10, (Commands / 200) + 2);

        void Take(int host, double milliseconds)
        {
            _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            loads[host].RecordCommand(0, milliseconds);
        }
    }
}
