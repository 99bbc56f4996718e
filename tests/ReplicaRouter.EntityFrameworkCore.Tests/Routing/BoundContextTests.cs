using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter.EntityFrameworkCore.Tests.Routing;

/// <summary>Registration, contexts that are bound to a route, and contexts that are reused.</summary>
public class BoundContextTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static IQueryable<int> Ports(NotesDb db) => db.Topics.Where(topic => topic.Id == -1).Select(_ => NotesDb.ServerPort());

    private async Task<string> WhoAsync(NotesDb db) => fixture.NameOf(await Ports(db).SingleAsync(Ct));

    private ServiceProvider Services(bool isPooled)
    {
        var services = new ServiceCollection();
        services.AddSingleton(fixture.Router);
        if (isPooled) services.AddRoutedDbContextPool<NotesDb>(poolSize: 1);
        else services.AddRoutedDbContext<NotesDb>();
        return services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_context_can_come_from_a_scope_a_factory_or_a_route(bool isPooled)
    {
        await using var services = Services(isPooled);
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<NotesDb>();
        Assert.Same(db, scope.ServiceProvider.GetRequiredService<NotesDb>());
        Assert.NotEqual("primary", await WhoAsync(db));
        await using var made = await services.GetRequiredService<IDbContextFactory<NotesDb>>().CreateDbContextAsync(Ct);
        Assert.NotEqual("primary", await WhoAsync(made));
        await using var bound = services.GetRequiredService<IRoutedDbContextFactory<NotesDb>>().CreateDbContext(DatabaseOperation.Background);
        Assert.Equal("background", await WhoAsync(bound));
    }

    [Fact]
    public async Task Everything_that_a_bound_context_does_uses_its_route()
    {
        await using var services = Services(isPooled: false);
        await using var db = services.GetRequiredService<IRoutedDbContextFactory<NotesDb>>().CreateDbContext("search");
        Assert.Equal("background", await WhoAsync(db));
        Assert.Equal("background", fixture.NameOf(await Ports(db).RouteTo(DatabaseOperation.Analytics).SingleAsync(Ct)));
        Assert.Equal("background", fixture.NameOf(await db.Database.SqlQuery<int>($"SELECT inet_server_port() AS \"Value\"").SingleAsync(Ct)));
        await using (await db.Database.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, Ct)) Assert.Equal("background", await WhoAsync(db));
        using (fixture.Router.BeginRoute(DatabaseOperation.Analytics)) Assert.Equal("background", await WhoAsync(db));
    }

    [Fact]
    public async Task A_context_bound_to_a_read_route_does_not_track_and_refuses_to_save()
    {
        await using var services = Services(isPooled: false);
        await using var db = services.GetRequiredService<IRoutedDbContextFactory<NotesDb>>().CreateDbContext(DatabaseOperation.Read);
        var note = await db.Notes.SingleAsync(note => note.Id == -1, Ct);
        Assert.Empty(db.ChangeTracker.Entries());
        note.Text = "changed for nothing";
        foreach (var error in new[] { Assert.Throws<InvalidOperationException>(() => db.SaveChanges()), await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Ct)) })
            Assert.Equal("This NotesDb was created for the route 'read', which only reads: it can't save. Inject NotesDb, or create one for DatabaseOperation.Write.", error.Message);
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => db.Notes.ExecuteDeleteAsync(Ct));
        Assert.Contains("25006", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_context_bound_to_a_write_route_uses_only_the_primary()
    {
        await using var services = Services(isPooled: false);
        await using var db = services.GetRequiredService<IRoutedDbContextFactory<NotesDb>>().CreateDbContext(DatabaseOperation.Write);
        Assert.Equal("primary", await WhoAsync(db));
        var note = new Note { Text = "by a bound context" };
        db.Add(note);
        Assert.Equal(1, await db.SaveChangesAsync(Ct));
        Assert.Equal("primary", fixture.NameOf(note.Port));
    }

    [Fact]
    public async Task The_options_of_a_bound_context_apply_to_everything_that_it_does()
    {
        await using var services = Services(isPooled: false);
        await using var db = services.GetRequiredService<IRoutedDbContextFactory<NotesDb>>().CreateDbContext(DatabaseOperation.Analytics, new OperationOptions { Consistency = Consistency.Strong });
        Assert.Equal("primary", await WhoAsync(db));
    }

    [Fact]
    public async Task An_unknown_route_is_refused_at_once()
    {
        await using var services = Services(isPooled: false);
        Assert.Throws<ArgumentException>(() => services.GetRequiredService<IRoutedDbContextFactory<NotesDb>>().CreateDbContext("nowhere"));
    }

    [Fact]
    public async Task A_reused_context_keeps_nothing_of_its_former_use()
    {
        await using var services = Services(isPooled: true);
        var factory = services.GetRequiredService<IRoutedDbContextFactory<NotesDb>>();
        NotesDb first;
        await using (first = factory.CreateDbContext(DatabaseOperation.Background)) await WhoAsync(first);
        for (var i = 0; i < 10; i++)
        {
            await using var scope = services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<NotesDb>();
            Assert.Same(first, db);
            Assert.Equal("analytics", fixture.NameOf(await Ports(db).RouteTo(DatabaseOperation.Analytics).SingleAsync(Ct)));
            Assert.Equal(QueryTrackingBehavior.TrackAll, db.ChangeTracker.QueryTrackingBehavior);
            db.Add(new Note { Text = "saved by a context that only read before" });
            Assert.Equal(1, await db.SaveChangesAsync(Ct));
            await db.Database.OpenConnectionAsync(Ct);
        }

    }

    [Fact]
    public async Task Without_a_router_the_error_says_what_to_call()
    {
        await using var services = new ServiceCollection().AddRoutedDbContext<NotesDb>().BuildServiceProvider();
        var error = Assert.Throws<InvalidOperationException>(() => services.GetRequiredService<IDbContextFactory<NotesDb>>().CreateDbContext());
        Assert.Equal("A routed context needs a router: call AddReplicaRouter() on the builder or its services.", error.Message);
    }
}
