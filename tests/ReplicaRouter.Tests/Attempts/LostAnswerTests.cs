using Npgsql;

namespace ReplicaRouter.Tests.Attempts;

public class LostAnswerTests
{
    /// <summary>
    /// Covers two questions: whether an error that broke the connection leaves the outcome of a command unknown, and whether an error of COMMIT shows that it rolled back.
    /// </summary>
    [Theory]
    [InlineData("57P02", "FATAL", true, false)]
    [InlineData("57P02", "ERROR", false, true)]
    [InlineData("57P01", "FATAL", false, false)]
    [InlineData("57P03", "FATAL", false, false)]
    [InlineData("08006", "FATAL", true, false)]
    [InlineData("08006", "ERROR", true, false)]
    [InlineData("40003", "ERROR", false, false)]
    [InlineData("40001", "ERROR", false, true)]
    [InlineData("23505", "ERROR", false, true)]
    [InlineData("53200", "ERROR", false, true)]
    [InlineData("58030", "ERROR", false, true)]
    public void The_SQLSTATE_and_severity_show_whether_the_answer_was_lost(string sqlState, string severity, bool isLost, bool saysRolledBack)
    {
        var error = new PostgresException("", severity, severity, sqlState);
        Assert.Equal(isLost, LostAnswer.IsLost(error));
        Assert.Equal(saysRolledBack, LostAnswer.SaysRolledBack(error));
    }

    [Theory]
    [InlineData("server conn crashed?", true)]
    [InlineData("query_wait_timeout", true)]
    [InlineData("no such database: app", false)]
    [InlineData("server login has been failing, try again later", false)]
    public void The_message_of_a_pooler_shows_whether_the_answer_was_lost(string words, bool isLost) =>
        Assert.Equal(isLost, LostAnswer.IsLost(new PostgresException(words, "FATAL", "FATAL", PostgresErrorCodes.ProtocolViolation)));

    [Fact]
    public void A_network_error_loses_the_answer_and_an_error_of_the_caller_does_not()
    {
        Assert.True(LostAnswer.IsLost(new NpgsqlException("While reading", new IOException())));
        Assert.False(LostAnswer.IsLost(new InvalidOperationException()));
        Assert.False(LostAnswer.SaysRolledBack(new NpgsqlException("While reading", new IOException())));
        Assert.True(LostAnswer.SaysRolledBack(new InvalidOperationException("This transaction has completed")));
    }
}
