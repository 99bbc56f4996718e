using Npgsql;

namespace ReplicaRouter.Tests.Attempts;

public class PrimaryDoubtTests
{
    private readonly TestTopology _topology = new("primary", "analytics");

    private HostConfiguration Primary => _topology["primary"].Configuration;

    [Theory]
    [InlineData(null, true)]
    [InlineData(99L, true)]
    [InlineData(100L, true)]
    [InlineData(101L, false)]
    public void A_doubt_covers_what_was_read_on_replicas_until_it_was_asked(long? until, bool isCovered) =>
        Assert.Equal(isCovered, new PrimaryDoubt(Primary, askedAt: 100, hidden: null).Covers(Primary, until));

    [Fact]
    public void A_doubt_about_one_primary_says_nothing_about_the_next() =>
        Assert.False(new PrimaryDoubt(Primary, askedAt: 100, hidden: null).Covers(_topology["analytics"].Configuration, 99));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_a_hidden_commit_the_primary_is_not_asked_again(bool isWithoutReplica)
    {
        var doubt = new PrimaryDoubt(Primary, askedAt: 100, hidden: null, isWithoutReplica ? [] : null);
        // Over a closed connection a question would throw.
        await using var closed = new NpgsqlConnection();
        Assert.True(await doubt.IsGoneAsync(closed, _topology.Time, TestContext.Current.CancellationToken));
    }
}
