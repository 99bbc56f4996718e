using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter.AspNetCore.Tests;

public class SessionHandlerTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Another_service_sees_the_caller_s_writes_and_the_caller_sees_that_service_s()
    {
        await using var back = await TestApplication.StartAsync(TestApplication.MapWork, SessionMiddlewareTests.SharedKeys, lsn: 500);
        await using var front = await TestApplication.StartAsync(app =>
        {
            TestApplication.MapWork(app);
            app.MapPost("/relay/{path}", async (string path, bool writes, IHttpClientFactory clients, DatabaseRouter router) =>
            {
                if (writes) router.GetClient(DatabaseOperation.Write);
                using var client = clients.CreateClient("back");
                using var response = await client.SendAsync(new HttpRequestMessage(path == "work" ? HttpMethod.Post : HttpMethod.Get, $"http://back/{path}"));
                return await response.Content.ReadAsStringAsync();
            });
        }, services =>
        {
            SessionMiddlewareTests.SharedKeys(services);
            services.AddHttpClient("back").ConfigurePrimaryHttpMessageHandler(back.Handler).AddReplicaRouterSession();
        }, lsn: 500);
        using var client = front.Client();

        using var nothing = await client.PostAsync("/relay/position?writes=false", null, Ct);
        Assert.Equal("none", await nothing.Content.ReadAsStringAsync(Ct));
        Assert.False(nothing.Headers.Contains("replica-router-token"));

        using var seen = await client.PostAsync("/relay/position?writes=true", null, Ct);
        Assert.Equal("500", await seen.Content.ReadAsStringAsync(Ct));

        using var done = await client.PostAsync("/relay/work?writes=false", null, Ct);
        client.DefaultRequestHeaders.Add("replica-router-token", done.Headers.GetValues("replica-router-token").Single());
        Assert.Equal("500", await client.GetStringAsync("/position", Ct));
    }

    [Fact]
    public async Task Outside_a_session_no_token_is_added()
    {
        await using var back = await TestApplication.StartAsync(TestApplication.MapWork);
        await using var front = await TestApplication.StartAsync(_ => { }, services =>
            services.AddHttpClient("back").ConfigurePrimaryHttpMessageHandler(back.Handler).AddReplicaRouterSession());
        using var client = front.Services.GetRequiredService<IHttpClientFactory>().CreateClient("back");
        Assert.Equal("none", await client.GetStringAsync("http://back/position", Ct));
        Assert.Equal(0, back.Router.GetMetrics().Sessions.IgnoredTokens);
    }
}
