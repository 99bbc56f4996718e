using System.Text;

namespace ReplicaRouter.Tests.ConnectionStrings;

public class ApplicationNamesTests
{
    [Theory]
    [InlineData("shop", "read", "shop read")]
    [InlineData("Büro", "read", "B?ro read")]
    [InlineData("😀", "read", "? read")]
    [InlineData("a\tb\n", "read", "a?b? read")]
    [InlineData("", "read", " read")]
    public void Only_printable_ascii_is_sent(string application, string route, string name) => Assert.Equal(name, ApplicationNames.OfRoute(application, route));

    [Theory]
    [InlineData(58, 63)]
    [InlineData(59, 63)]
    [InlineData(500, 63)]
    public void The_application_is_truncated_rather_than_the_route(int length, int whole)
    {
        var name = ApplicationNames.OfRoute(new string('a', length), "read");
        Assert.Equal(whole, Encoding.UTF8.GetByteCount(name));
        Assert.EndsWith("a read", name, StringComparison.Ordinal);
    }

    [Fact]
    public void A_route_as_long_as_the_limit_leaves_no_room_for_the_application_name() =>
        Assert.Equal(" " + new string('r', 62), ApplicationNames.OfRoute("shop", new string('r', 63)));
}
