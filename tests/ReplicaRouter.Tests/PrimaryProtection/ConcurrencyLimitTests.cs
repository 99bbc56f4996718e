using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.PrimaryProtection;

public class ConcurrencyLimitTests
{
    private const int Floor = 2;
    private const int Ceiling = 30;

    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();

    private ConcurrencyLimit Limit(int floor = Floor, int ceiling = Ceiling) => new(floor, ceiling, routes: 2, _time);

    private static double Even(Random random) => 3 + (2 * random.NextDouble());

    private static double Mixed(Random random, double reports)
    {
        var x = random.NextDouble();
        return x < reports ? 200 : x < reports + 0.18 ? 5 : 1;
    }

    /// <summary>Returns a server on which a process has written for two seconds before the replicas are lost.</summary>
    private (ServerModel Server, ServerModel.Process Process) AfterTheLoss(int cores, int writers, Func<Random, double> drawMs, ConcurrencyLimit? limit = null)
    {
        var server = new ServerModel(cores, _time, drawMs);
        var process = server.Add(limit ?? Limit(), writers);
        server.Run(2 * s_second);
        process.Limit.Restart(writers);
        process.Readers = 200;
        return (server, process);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(0)]
    public void The_limit_settles_at_about_twice_the_cores_and_keeps_the_server_busy(int writers)
    {
        var (server, process) = AfterTheLoss(cores: 8, writers, Even);
        server.Run(s_second);
        var (least, most, done) = (int.MaxValue, 0, server.Done);
        server.Run(10 * s_second, () => (least, most) = (Math.Min(least, process.Limit.Current), Math.Max(most, process.Limit.Current)));
        Assert.InRange(least, 8, 16);
        Assert.InRange(most, 14, 26);
        // 8 cores run 2,000 commands of 4 ms a second, including writes.
        Assert.InRange((server.Done - done) / 10, 1600, 2050);
    }

    [Fact]
    public void The_limit_yields_to_other_load_down_to_the_floor_and_recovers_in_two_seconds()
    {
        var (server, process) = AfterTheLoss(cores: 8, writers: 2, Even);
        server.Run(3 * s_second);
        server.Others = 64;
        server.Run(3 * s_second);
        Assert.Equal(Floor, process.Limit.Current);
        server.Others = 0;
        server.Run(2 * s_second);
        Assert.InRange(process.Limit.Current, 8, 26);
    }

    [Fact]
    public void With_spare_capacity_the_limit_doubles_up_to_the_ceiling_within_a_second()
    {
        var (server, process) = AfterTheLoss(cores: 1000, writers: 2, Even);
        server.Run(s_second);
        Assert.Equal(Ceiling, process.Limit.Current);
        Assert.True(process.Limit.IsStarting);
    }

    [Fact]
    public void The_limit_grows_only_while_reads_queue_because_of_it()
    {
        var (server, process) = AfterTheLoss(cores: 1000, writers: 0, Even);
        process.Readers = 4;
        server.Run(10 * s_second);
        Assert.Equal(4, process.Limit.Current);
    }

    [Fact]
    public void A_floor_equal_to_the_ceiling_makes_the_limit_constant()
    {
        var (server, process) = AfterTheLoss(cores: 2, writers: 2, Even, Limit(16, 16));
        server.Run(5 * s_second, () => Assert.Equal(16, process.Limit.Current));
    }

    /// <summary>At first four in five commands are look-ups and one in fifty is a report.</summary>
    [Theory]
    [InlineData(0.02)]
    [InlineData(0.1)]
    [InlineData(0.2)]
    public void A_mix_of_look_ups_and_reports_is_not_overload_even_with_more_reports(double reports)
    {
        var (server, process) = AfterTheLoss(cores: 1000, writers: 0, random => Mixed(random, 0.02));
        server.Run(3 * s_second);
        Assert.Equal(Ceiling, process.Limit.Current);
        server.DrawMs = random => Mixed(random, reports);
        server.Run(5 * s_second, () => Assert.Equal(Ceiling, process.Limit.Current));
    }

    [Fact]
    public void Overload_is_detected_in_a_mix_of_look_ups_and_reports()
    {
        var (server, process) = AfterTheLoss(cores: 4, writers: 0, random => Mixed(random, 0.02));
        server.Run(3 * s_second);
        var most = 0;
        server.Run(10 * s_second, () => most = Math.Max(most, process.Limit.Current));
        Assert.InRange(most, 4, 20);
    }

    [Fact]
    public void Uncoordinated_processes_converge_on_similar_shares_of_the_servers_capacity()
    {
        var server = new ServerModel(40, _time, Even);
        for (var i = 0; i < 10; i++) server.Add(Limit(), writers: 4);
        server.Run(2 * s_second);
        foreach (var process in server.Processes)
        {
            process.Limit.Restart(4);
            process.Readers = 50;
        }

        server.Run(20 * s_second);
        var total = 0;
        var samples = 0;
        server.Run(5 * s_second, () => (total, samples) = (total + server.Processes.Sum(process => process.Limit.Current), samples + 1));
        // 40 cores also serve 40 concurrent writes.
        Assert.InRange(total / samples, 30, 75);
        Assert.InRange(server.Processes.Max(process => process.Limit.Current), 3, 20);
    }

    [Fact]
    public void The_usual_latency_is_forgotten_seconds_after_the_last_sample()
    {
        var (server, process) = AfterTheLoss(cores: 1000, writers: 1, _ => 1);
        server.Run(s_second);
        Assert.Equal(Ceiling, process.Limit.Current);
        (process.Readers, process.Writers) = (0, 0);
        server.Run(ConcurrencyLimit.Memory + s_second);
        // Against the former usual latency, every command would be slow.
        server.DrawMs = _ => 10;
        process.Limit.Restart(0);
        Assert.Equal(Floor, process.Limit.Current);
        process.Readers = 200;
        server.Run(2 * s_second);
        Assert.Equal(Ceiling, process.Limit.Current);
    }

    [Fact]
    public void A_new_primary_starts_at_the_floor_without_a_usual_latency()
    {
        var (server, process) = AfterTheLoss(cores: 1000, writers: 0, _ => 1);
        server.Run(2 * s_second);
        Assert.Equal(Ceiling, process.Limit.Current);
        // Commands in flight started before this moment, on the former primary.
        _time.Advance(TimeSpan.FromTicks(1));
        process.Limit.Forget();
        Assert.Equal((Floor, true), (process.Limit.Current, process.Limit.IsStarting));
        server.DrawMs = _ => 10;
        server.Run(2 * s_second);
        Assert.Equal(Ceiling, process.Limit.Current);
    }

    [Theory]
    [InlineData(ServerModel.Reads)]
    [InlineData(ServerModel.Writes)]
    public void One_slow_route_is_enough_to_shrink_the_limit(int slow)
    {
        var limit = Limit();
        foreach (var route in new[] { ServerModel.Reads, ServerModel.Writes }) Record(limit, route, milliseconds: 2, reads: 0);
        limit.Restart(20);
        for (var i = 0; i < 20; i++)
        {
            foreach (var route in new[] { ServerModel.Reads, ServerModel.Writes }) Record(limit, route, milliseconds: route == slow ? 8 : 2, reads: 20, times: 1);
        }

        Assert.InRange(limit.Current, Floor, 19);
    }

    [Fact]
    public void An_overload_by_fewer_reads_than_the_limit_shrinks_it_below_their_number()
    {
        var limit = Limit();
        Record(limit, ServerModel.Reads, milliseconds: 2, reads: 0);
        limit.Restart(20);
        Record(limit, ServerModel.Reads, milliseconds: 8, reads: 8);
        Assert.InRange(limit.Current, Floor, 7);
    }

    [Fact]
    public void A_usual_latency_that_was_measured_in_an_overload_is_replaced_by_a_faster_one()
    {
        var limit = Limit();
        Record(limit, ServerModel.Reads, milliseconds: 20, reads: 0);
        limit.Restart(4);
        Record(limit, ServerModel.Reads, milliseconds: 2, reads: 4);
        Assert.Equal(4, limit.Current);
        Record(limit, ServerModel.Reads, milliseconds: 8, reads: 4);
        Assert.InRange(limit.Current, Floor, 3);
    }

    private void Record(ConcurrencyLimit limit, int route, double milliseconds, int reads, int times = 20)
    {
        for (var i = 0; i < times; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            limit.Record(route, milliseconds, reads, isHeld: false);
        }
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1)]
    public void Negative_and_non_finite_durations_are_not_samples(double milliseconds)
    {
        var limit = Limit();
        for (var i = 0; i < 100; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(50));
            Assert.False(limit.Record(ServerModel.Reads, milliseconds, reads: 2, isHeld: true));
        }
    }
}
