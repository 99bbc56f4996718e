using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Execution;

/// <summary>The effects of failed work on its operation, its host, the retry budget, the counters and the log. The decisions themselves are in RetryTableTests.</summary>
public sealed class RetryRulesTests : IDisposable
{
    private static readonly NpgsqlException s_reset = new("Exception while reading from stream", new IOException("read", new SocketException((int)SocketError.ConnectionReset)));

    private readonly TestTopology _topology = new TestTopology("primary", "analytics", "background")
        .Answer("primary", Primary(500)).Answer("analytics", Replica(500)).Answer("background", Replica(500)).Advance(1);

    private readonly CommandListener _listener = new();
    private readonly RecordingLogger _log = new();
    private readonly TopologyStore _store;
    private readonly HostRegistry _registry;
    private readonly RoutingCounters _counters;
    private readonly RetryRules _rules;

    public RetryRulesTests()
    {
        var (configuration, time) = (_topology.Configuration, _topology.Time);
        _store = new TopologyStore(_topology.Current, time);
        _registry = new HostRegistry(configuration, _store, _listener, _ => FakeProbe.Of(Primary(1)), new DataSourceFactory(configuration, NullLoggerFactory.Instance), time, new Random(1), _log);
        foreach (var host in configuration.Hosts) _registry.Add(host);
        _counters = new RoutingCounters(configuration.Routes, configuration.Sources);
        _rules = new RetryRules(_store, _registry, new FailureReporter(_store), _counters, time, _log);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _log.Dispose();
    }

    private HostSnapshot this[string host] => _store.Current.Find(_topology[host].Configuration)!;

    private (long Retries, long WriteRetries, long Moved, long Refused) Counted =>
        (_counters[RouterEvent.Retry], _counters[RouterEvent.WriteRetry], _counters[RouterEvent.Moved], _counters[RouterEvent.RetryRefused]);

    private static PostgresException Server(string sqlState, string severity = "ERROR", string? routine = null) => new("", severity, severity, sqlState, routine: routine);

    private Attempt NewAttempt(DatabaseOperation operation = DatabaseOperation.Read) => new(_topology.Configuration.PlanOf(operation), null, null, _topology.Time);

    private HostPool PoolOf(string host, RoutePlan plan) => _registry.PoolAt(_topology[host].Configuration.Index, plan);

    /// <summary>Decides about work that failed in its first command.</summary>
    private RetryDecision Decide(Exception error, Attempt attempt, string host = "analytics", bool isBroken = true, int run = 1)
    {
        var flow = new CommandFlow { IsBroken = isBroken };
        flow.CommandStarted();
        flow.Sent(10);
        flow.CommandEnded();
        return _rules.Decide(error, attempt, PoolOf(host, attempt.Plan), flow, _topology.Time.GetTimestamp(), run, rollbacks: null);
    }

    [Fact]
    public void A_read_whose_connection_broke_is_retried_without_its_host_which_is_reported()
    {
        var attempt = NewAttempt();
        Assert.Equal(RetryDecision.RetryElsewhere, Decide(s_reset, attempt));
        Assert.Equal(_topology["analytics"].Configuration.Bit, attempt.Failed!.Excluded);
        Assert.Same(s_reset, attempt.Failed.LastFailure);
        Assert.True(this["analytics"].Last is { IsFromCaller: true, Failure.Kind: FailureKind.Unreachable });
        Assert.Equal((1L, 0L, 0L, 0L), Counted);
        Assert.Equal("read work that failed on host analytics is retried: Unreachable", Assert.Single(_log[500]));
        Assert.Empty(_counters.Failures.Last());
    }

    [Fact]
    public void A_read_on_a_hung_host_is_moved_and_tells_nothing_new_about_the_host()
    {
        var attempt = NewAttempt();
        Assert.Equal(RetryDecision.RetryElsewhere, Decide(new HostLostException("hangs"), attempt, isBroken: false));
        Assert.Equal(_topology["analytics"].Configuration.Bit, attempt.Failed!.Excluded);
        Assert.True(this["analytics"].IsAnswering);
        Assert.Equal((0L, 0L, 1L, 0L), Counted);
        Assert.Single(_log[501]);
        Assert.Empty(_log[500]);
    }

    [Fact]
    public void A_write_that_the_server_provably_did_not_execute_counts_as_a_retried_write()
    {
        Assert.Equal(RetryDecision.RetryElsewhere, Decide(Server("57P01", "FATAL"), NewAttempt(DatabaseOperation.Write), "primary"));
        Assert.Equal((0L, 1L, 0L, 0L), Counted);
        Assert.Equal("write work that failed on host primary is retried: Terminated", Assert.Single(_log[500]));
    }

    [Fact]
    public void A_write_with_an_unknown_outcome_is_the_callers_failure_and_reports_its_host()
    {
        var attempt = NewAttempt(DatabaseOperation.Write);
        Assert.Equal(RetryDecision.UnknownOutcome, Decide(s_reset, attempt, "primary"));
        Assert.Null(attempt.Failed);
        Assert.True(this["primary"].Last is { IsFromCaller: true });
        Assert.Equal((0L, 0L, 0L, 0L), Counted);
        Assert.Equal("primary", Assert.Single(_counters.Failures.Last()).Host);
    }

    [Fact]
    public void A_connection_that_the_server_closed_as_idle_costs_no_budget_and_excludes_no_host()
    {
        var attempt = NewAttempt();
        for (var i = 0; i < 1000; i++) Assert.Equal(RetryDecision.RetryHere, Decide(Server(FailureClassifier.IdleSessionTimeout, "FATAL"), attempt));
        Assert.Null(attempt.Failed);
        Assert.Equal((0L, 0L, 0L, 0L), Counted);
        Assert.Empty(_counters.Failures.Last());
        Assert.Equal(RetryDecision.RetryElsewhere, Decide(s_reset, attempt));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Without_budget_the_caller_gets_the_error_until_other_work_succeeds(bool isHostSpecific)
    {
        Exception error = isHostSpecific ? Server("XX001") : s_reset;
        var retried = Enumerable.Range(0, 1000).LongCount(_ => Decide(error, NewAttempt()).IsRetry());
        Assert.InRange(retried, 1, 999);
        Assert.Equal((retried, 0L, 0L, 1000 - retried), Counted);
        Assert.Equal(1000 - retried, Assert.Single(_counters.Failures.Last()).Count);
        Assert.Equal("read work that failed on host analytics is not retried: the retry budget is spent", _log[502][0]);

        var refused = NewAttempt();
        Assert.Equal(RetryDecision.CallersError, Decide(error, refused));
        Assert.Null(refused.Failed);

        for (var i = 0; i < 100; i++) _rules.Succeeded(NewAttempt());
        Assert.True(Decide(error, refused).IsRetry());
    }

    [Fact]
    public void A_second_recovery_conflict_ends_the_operation_and_a_broken_connection_before_it_does_not()
    {
        var conflict = Server("40001", routine: "ProcessInterrupts");
        var first = NewAttempt();
        Assert.Equal(RetryDecision.RetryElsewhere, Decide(s_reset, first));
        Assert.Equal(RetryDecision.RetryElsewhere, Decide(conflict, first, "background", isBroken: false, run: 2));

        var second = NewAttempt();
        Assert.Equal(RetryDecision.RetryElsewhere, Decide(conflict, second, isBroken: false));
        Assert.Equal(RetryDecision.CallersError, Decide(conflict, second, "background", isBroken: false, run: 2));
    }

    [Fact]
    public void An_error_that_may_be_specific_to_its_host_is_kept_for_the_caller_and_retried_once()
    {
        var (attempt, error) = (NewAttempt(), Server("XX001"));
        Assert.Equal(RetryDecision.RetryOnceElsewhere, Decide(error, attempt));
        Assert.Same(error, attempt.Failed!.FirstRun!.Value.Error);
        Assert.Equal("analytics", attempt.Failed.FirstRun.Value.Host.Name);
        Assert.Equal(_topology["analytics"].Configuration.Bit, attempt.Failed.Excluded);
        Assert.Equal("read work that failed on host analytics is retried: XX001", Assert.Single(_log[500]));
        Assert.True(this["analytics"].IsAnswering);

        Assert.Equal(RetryDecision.CallersError, Decide(error, attempt, "background", run: 2));
        Assert.Equal((1L, 0L, 0L, 0L), Counted);
    }

    [Theory]
    [InlineData("analytics", RetryDecision.RetryOnceElsewhere)]
    [InlineData("primary", RetryDecision.CallersError)]
    internal void A_table_that_a_replica_lacks_may_exist_elsewhere(string host, RetryDecision decision) =>
        Assert.Equal(decision, Decide(Server("42P01"), NewAttempt(), host, isBroken: false));

    [Fact]
    public void An_error_of_the_statement_is_noted_as_the_callers_failure()
    {
        var attempt = NewAttempt();
        Assert.Equal(RetryDecision.CallersError, Decide(Server("23505"), attempt, isBroken: false));
        var failure = Assert.Single(_counters.Failures.Last());
        Assert.Equal(("read", "analytics", "23505 UniqueViolation"), (failure.Route, failure.Host, failure.What));
        Assert.Null(attempt.Failed);
        Assert.True(this["analytics"].IsAnswering);
    }

    /// <summary>The work calls another service, whose network error says nothing about the host.</summary>
    [Fact]
    public void A_network_error_that_does_not_come_from_Npgsql_is_the_callers()
    {
        Assert.Equal(RetryDecision.CallersError, Decide(new SocketException((int)SocketError.ConnectionRefused), NewAttempt()));
        Assert.True(this["analytics"].IsAnswering);
    }

    /// <summary>Fails statements on a replica that succeed on another host.</summary>
    private void FailAndSucceedElsewhere(int times, int commandsBetween = 0)
    {
        for (var i = 0; i < times; i++)
        {
            var attempt = NewAttempt();
            Decide(Server("XX001"), attempt);
            _rules.Succeeded(attempt);
            var other = PoolOf("analytics", _topology.Configuration.PlanOf(DatabaseOperation.Background));
            for (var command = 0; command < commandsBetween; command++) other.CountCommand();
        }
    }

    [Fact]
    public void A_host_that_fails_many_statements_that_succeed_elsewhere_is_reported_as_faulty()
    {
        FailAndSucceedElsewhere(1);
        Assert.Null(this["analytics"].Faulty);
        FailAndSucceedElsewhere(20);
        Assert.Equal(HostState.Failing, this["analytics"].State);
        Assert.Equal("10.0.0.2:5432 fails statements that other hosts answer, because of damaged data (XX001).", this["analytics"].Faulty!.Message);
        Assert.Null(this["background"].Faulty);
    }

    [Fact]
    public void A_host_that_answers_nearly_all_commands_of_all_its_routes_is_not_faulty()
    {
        FailAndSucceedElsewhere(20, commandsBetween: 1000);
        Assert.Null(this["analytics"].Faulty);
    }

    [Fact]
    public void A_host_with_the_index_of_one_that_was_removed_is_not_blamed_for_it()
    {
        var (removed, error) = (_topology["analytics"].Configuration with { AddedAt = -1 }, Server("XX001"));
        for (var i = 0; i < 20; i++)
        {
            var attempt = NewAttempt();
            attempt.Exclude(removed, error, 0).FirstRun = (removed, error);
            _rules.Succeeded(attempt);
        }

        Assert.Null(this["analytics"].Faulty);
    }
}
