using Microsoft.Extensions.Time.Testing;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Opening;

public class StartupGateTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();
    private readonly RouterConfiguration _configuration = RouterConfigurationBuilder.Build(OptionsFor("primary", "analytics", "background"));
    private readonly TopologyStore _store;
    private readonly StartupGate _gate;
    private bool _mayServe;

    public StartupGateTests()
    {
        _store = new TopologyStore(TopologySnapshot.Initial(_configuration), _time);
        _gate = new StartupGate(_store, _ => _mayServe, s_limit, _configuration.Routes.Length, _time);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private Task WaitAsync(DatabaseOperation operation) => _gate.WaitAsync(_configuration.PlanOf(operation), Ct);

    private void Answer(int host)
    {
        var now = _time.GetTimestamp();
        _store.Publish(new HostObservation(host, now, now, host == 0 ? Primary(100) : Replica(100), null));
    }

    [Fact]
    public async Task All_operations_wait_for_the_first_answer_of_every_host()
    {
        Task[] operations = [WaitAsync(DatabaseOperation.Read), WaitAsync(DatabaseOperation.Write)];
        Answer(0);
        Answer(1);
        Assert.All(operations, operation => Assert.False(operation.IsCompleted));
        Answer(2);
        await Task.WhenAll(operations).WaitAsync(s_bound, Ct);
        Assert.True(_gate.IsOpen);
    }

    [Fact]
    public async Task A_servable_read_waits_briefly_for_the_other_hosts_and_a_write_waits_for_all()
    {
        var start = _time.GetTimestamp();
        var (read, write) = (WaitAsync(DatabaseOperation.Read), WaitAsync(DatabaseOperation.Write));
        _mayServe = true;
        Answer(0);
        Answer(1);
        while (!read.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Delay(1, Ct);
            Assert.True(_time.GetElapsedTime(start) < s_limit);
        }

        Assert.False(_gate.IsOpen);
        // Later reads do not wait again.
        Assert.True(WaitAsync(DatabaseOperation.Read).IsCompletedSuccessfully);
        Assert.False(write.IsCompleted);
        Answer(2);
        await write.WaitAsync(s_bound, Ct);
        Assert.True(_gate.IsOpen);
    }

    [Fact]
    public async Task After_the_time_limit_operations_choose_among_the_known_hosts()
    {
        var write = WaitAsync(DatabaseOperation.Write);
        Answer(0);
        while (!write.IsCompleted)
        {
            _time.Advance(s_limit);
            await Task.Delay(1, Ct);
        }

        await write;
        Assert.True(_gate.IsOpen);
    }
}
