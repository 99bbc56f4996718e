using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.EntityFrameworkCore.Tests.Routing;

/// <summary>Contexts in requests use the route of their endpoint and the session of the request.</summary>
public class EndpointTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseTestServer();
        builder.Services.AddSingleton(fixture.Router);
        builder.Services.AddReplicaRouterWeb();
        builder.Services.AddRoutedDbContextPool<NotesDb>();
        var app = builder.Build();
        app.UseReplicaRouter();
        static Task<int> Port(NotesDb db) => db.Topics.Select(_ => NotesDb.ServerPort()).FirstAsync();
        app.MapGet("/silent", Port);
        app.MapGet("/analytics", Port).RouteTo(DatabaseOperation.Analytics);
        app.MapGet("/write", Port).RouteTo(DatabaseOperation.Write);
        app.MapPost("/notes", async (NotesDb db, IDbContextFactory<NotesDb> others) =>
        {
            var note = new Note { Text = "by a request" };
            db.Add(note);
            await db.SaveChangesAsync();
            await using var other = await others.CreateDbContextAsync();
            return await other.Notes.AnyAsync(known => known.Id == note.Id) ? note.Id.ToString(CultureInfo.InvariantCulture) : "not found";
        }).RouteTo(DatabaseOperation.Analytics);
        app.MapGet("/notes/{id:long}", (long id, NotesDb db) => db.Notes.AnyAsync(note => note.Id == id));
        await app.StartAsync(Ct);
        return app;
    }

    [Theory]
    [InlineData("/silent", "analytics", "background")]
    [InlineData("/analytics", "analytics")]
    [InlineData("/write", "primary")]
    public async Task Queries_use_the_route_of_their_endpoint(string path, params string[] servers)
    {
        await using var app = await StartAsync();
        using var client = app.GetTestClient();
        for (var i = 0; i < 3; i++) Assert.Contains(fixture.NameOf(int.Parse(await client.GetStringAsync(path, Ct), CultureInfo.InvariantCulture)), servers);
    }

    [Fact]
    public async Task A_save_is_seen_by_the_request_s_other_contexts_and_by_the_next_request()
    {
        await using var app = await StartAsync();
        using var client = app.GetTestClient();
        await fixture.WithReplayPausedAsync(async () =>
        {
            using var saved = await client.PostAsync("/notes", null, Ct);
            var id = await saved.Content.ReadAsStringAsync(Ct);
            Assert.True(long.TryParse(id, CultureInfo.InvariantCulture, out _), id);
            using var next = new HttpRequestMessage(HttpMethod.Get, $"/notes/{id}") { Headers = { { "replica-router-token", saved.Headers.GetValues("replica-router-token").Single() } } };
            using var found = await client.SendAsync(next, Ct);
            Assert.Equal("true", await found.Content.ReadAsStringAsync(Ct));
            // Another user has no guarantee. That they don't see it shows that replicas serve the read.
            Assert.Equal("false", await client.GetStringAsync($"/notes/{id}", Ct));
        });
    }
}
