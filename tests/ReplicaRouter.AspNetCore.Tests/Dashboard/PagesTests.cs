using System.Net.ServerSentEvents;
using Microsoft.Extensions.Time.Testing;
using ReplicaRouter.Dashboard;

namespace ReplicaRouter.AspNetCore.Tests.Dashboard;

public class PagesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Lock _guard = new();

    [Fact]
    [Trait("Failure", "C12")]
    public async Task A_stream_ends_after_a_minute_so_that_the_next_one_is_authorized_again()
    {
        var pages = new Pages(_time, TestContext.Current.CancellationToken);
        await using var stream = Open(pages);
        Assert.Equal("welcome", await NextAsync(stream));
        var next = stream.MoveNextAsync().AsTask();
        _time.Advance(Pages.Life - TimeSpan.FromSeconds(1));
        Assert.False(next.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await next);
        Assert.Equal("again", stream.Current.EventType);
        Assert.False(await stream.MoveNextAsync());
        Assert.False(pages.AreOpen);
    }

    [Fact]
    public async Task A_page_that_falls_behind_must_reconnect()
    {
        var pages = new Pages(_time, TestContext.Current.CancellationToken);
        await using var stream = Open(pages);
        await NextAsync(stream);
        for (var i = 0; i < 100; i++)
        {
            lock (_guard) pages.Send(_ => new SseItem<string>("{}", "update"));
        }

        var received = new List<string?>();
        while (await NextAsync(stream) is { } kind) received.Add(kind);
        Assert.Equal("again", received[^1]);
        Assert.InRange(received.Count, 2, 20);
    }

    [Fact]
    public async Task Each_page_gets_only_what_its_viewer_may_see()
    {
        var pages = new Pages(_time, TestContext.Current.CancellationToken);
        await using var operators = Open(pages, isOperators: true);
        await using var others = Open(pages);
        await NextAsync(operators);
        await NextAsync(others);
        lock (_guard) pages.Send(isOperators => new SseItem<string>("{}", isOperators ? "all" : "less"));
        Assert.Equal(("all", "less"), (await NextAsync(operators), await NextAsync(others)));
    }

    private IAsyncEnumerator<SseItem<string>> Open(Pages pages, bool isOperators = false) =>
        pages.ReadAsync(isOperators, () => new SseItem<string>("{}", "welcome"), _guard, TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);

    private static async Task<string?> NextAsync(IAsyncEnumerator<SseItem<string>> stream) => await stream.MoveNextAsync() ? stream.Current.EventType : null;
}
