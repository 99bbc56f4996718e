namespace ReplicaRouter.Tests.Attempts;

/// <summary>Whether work ended in its first command decides whether a write may be retried.</summary>
public class CommandFlowTests
{
    private readonly CommandFlow _flow = new();

    private void Run()
    {
        _flow.CommandStarted();
        _flow.Sent(10);
        _flow.CommandEnded();
    }

    [Fact]
    public void Work_is_in_its_first_command_once_it_has_sent_one()
    {
        Assert.Equal((false, false), (_flow.IsFirstCommand, _flow.HasSent));
        Run();
        Assert.Equal((true, true), (_flow.IsFirstCommand, _flow.HasSent));
    }

    [Fact]
    public void A_second_command_is_not_the_first()
    {
        Run();
        _flow.CommandStarted();
        Assert.Equal((false, 2), (_flow.IsFirstCommand, _flow.Commands));
    }

    /// <summary>COPY does not count as a command.</summary>
    [Fact]
    public void A_command_after_COPY_is_not_the_first()
    {
        _flow.Sent(100);
        Run();
        Assert.False(_flow.IsFirstCommand);
    }

    [Fact]
    public void Work_that_goes_on_with_COPY_does_not_end_in_its_first_command()
    {
        Run();
        _flow.Sent(100);
        Assert.False(_flow.IsFirstCommand);
    }

    [Fact]
    public void An_error_occurred_on_an_open_connection_unless_the_connection_broke()
    {
        Assert.Equal(FailureSite.OpenConnection, _flow.Site);
        _flow.IsBroken = true;
        Assert.Equal(FailureSite.BrokenConnection, _flow.Site);
    }

    [Fact]
    public void Abandoned_work_sends_no_COMMIT_any_more()
    {
        _flow.GiveUp();
        Assert.Throws<OperationCanceledException>(() => _flow.BeginCommit(TransactionMark.None));
        Assert.Null(_flow.Mark);
        Assert.True(_flow.IsGivenUp);
    }

    [Fact]
    public void Work_that_is_abandoned_after_its_COMMIT_keeps_what_its_outcome_needs()
    {
        _flow.BeginCommit(TransactionMark.None);
        _flow.GiveUp();
        Assert.Same(TransactionMark.None, _flow.Mark);
    }
}
