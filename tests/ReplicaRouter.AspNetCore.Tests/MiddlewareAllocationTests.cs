using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter.AspNetCore.Tests;

public class MiddlewareAllocationTests
{
    private const int Requests = 1000;

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_request_that_uses_no_database_allocates_at_most_300_bytes(bool waits, bool hasCookie)
    {
        await using var app = await TestApplication.StartAsync(TestApplication.MapWork);
        var context = new DefaultHttpContext { RequestServices = app.Services };
        if (hasCookie) context.Request.Headers.Cookie = $"replica-router.a={app.Services.GetRequiredService<WebRouters>().Of(null).Seal.Close(new string('A', 48))}";

        // Completed on this thread, so that allocations after the wait count too.
        TaskCompletionSource? wait = null;
        RequestDelegate endpoint = waits ? async _ => await (wait = new TaskCompletionSource()).Task : _ => Task.CompletedTask;
        long Measure(RequestDelegate pipeline)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < Requests; i++)
            {
                var running = pipeline(context);
                wait?.SetResult();
                Assert.True(running.IsCompletedSuccessfully);
            }

            return (GC.GetAllocatedBytesForCurrentThread() - before) / Requests;
        }

        var builder = new ApplicationBuilder(app.Services);
        builder.UseReplicaRouter();
        builder.Run(endpoint);
        var routed = builder.Build();
        long cost = 0;
        // Runs on a new thread without the test framework's ExecutionContext, as each change to that copies all of its values.
        var thread = new Thread(() => cost = Measure(routed) + Measure(routed) - (2 * Measure(endpoint)));
        thread.UnsafeStart();
        thread.Join();
        TestContext.Current.TestOutputHelper!.WriteLine($"{cost / 2} B");
        Assert.InRange(cost / 2, 1, 300);
    }
}
