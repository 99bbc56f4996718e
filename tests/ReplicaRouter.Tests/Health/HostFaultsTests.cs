using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace ReplicaRouter.Tests.Health;

[Trait("Failure", "B3")]
public class HostFaultsTests
{
    private readonly FakeTimeProvider _time = new();

    private TimeSpan? Record(HostFaults faults, int times, long commands = 0)
    {
        TimeSpan? hold = null;
        for (var i = 0; i < times; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            hold = faults.Record(commands);
        }

        return hold;
    }

    [Fact]
    public void Five_faults_in_ten_seconds_eject_a_host_and_four_do_not()
    {
        var faults = new HostFaults(_time);
        Assert.Null(Record(faults, 4));
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.Null(Record(faults, 4));
        Assert.Equal(TimeSpan.FromSeconds(5), Record(faults, 1));
    }

    [Fact]
    public void Faults_in_fewer_than_one_of_twenty_commands_do_not_eject_the_host()
    {
        var faults = new HostFaults(_time);
        for (var i = 0; i < 50; i++) Assert.Null(Record(faults, 1, commands: i * 40));
        Assert.Contains(Enumerable.Range(0, 120).Select(_ => Record(faults, 1, commands: 2000)), hold => hold is not null);
    }

    [Fact]
    public void The_first_fault_after_re_admission_ejects_for_twice_as_long_up_to_a_minute()
    {
        var faults = new HostFaults(_time);
        Record(faults, 5);
        foreach (var seconds in new[] { 10, 20, 40, 60, 60 })
        {
            // Statements that were in flight at the ejection do not count.
            Assert.Null(Record(faults, 1));
            _time.Advance(TimeSpan.FromSeconds(60));
            Assert.Equal(TimeSpan.FromSeconds(seconds), Record(faults, 1));
        }

        _time.Advance(TimeSpan.FromSeconds(121));
        Assert.Null(Record(faults, 4));
        Assert.Equal(TimeSpan.FromSeconds(5), Record(faults, 1));
    }

    /// <summary>Which statement errors can be specific to one host, on a replica and on the primary.</summary>
    [Theory]
    [InlineData("58P01", true, true)]
    [InlineData("58030", true, true)]
    [InlineData("XX001", true, true)]
    [InlineData("XX002", true, true)]
    [InlineData("XX000", false, false)]
    [InlineData("53100", true, true)]
    [InlineData("53200", true, true)]
    [InlineData("53300", false, false)]
    [InlineData("42P01", true, false)]
    [InlineData("42703", true, false)]
    [InlineData("42883", true, false)]
    [InlineData("42501", false, false)]
    [InlineData("22012", false, false)]
    [InlineData("57014", false, false)]
    [InlineData("P0001", false, false)]
    public void Some_statement_errors_can_be_specific_to_one_host(string sqlState, bool onReplica, bool onPrimary)
    {
        var error = new PostgresException("", "ERROR", "ERROR", sqlState);
        Assert.Equal(onReplica, HostFaults.IsPossiblyHostSpecific(error, isReplica: true));
        Assert.Equal(onPrimary, HostFaults.IsPossiblyHostSpecific(error, isReplica: false));
        if (onReplica) Assert.Contains(sqlState, HostFaults.Describe(sqlState), StringComparison.Ordinal);
        Assert.False(HostFaults.IsPossiblyHostSpecific(new NpgsqlException("network", new IOException()), isReplica: true));
    }
}
