using ReplicaRouter.Dashboard;

namespace ReplicaRouter.AspNetCore.Tests.Dashboard;

public class WordsTests
{
    [Fact]
    public void No_verdict_is_shown_by_its_name_in_the_code() =>
        Assert.All(Enum.GetNames<Verdict>(), name => Assert.DoesNotContain(name, Words.OfVerdict(name), StringComparison.Ordinal));
}
