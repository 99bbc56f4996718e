using Microsoft.EntityFrameworkCore;

namespace ReplicaRouter.EntityFrameworkCore.Tests.Routing;

/// <summary>Where queries go, as reported by the server that answers.</summary>
public class QueryTests(ClusterFixture fixture)
{
    private static readonly string[] Readers = ["analytics", "background"];

    private static readonly Func<NotesDb, IEnumerable<Note>> Compiled = EF.CompileQuery((NotesDb db) => db.Notes.Where(note => note.Id == -1));

    private static readonly Func<NotesDb, long, IAsyncEnumerable<Note>> CompiledAsync =
        EF.CompileAsyncQuery((NotesDb db, long id) => db.Notes.RouteTo(DatabaseOperation.Analytics).Where(note => note.Id == id));

    private static readonly Func<NotesDb, Task<int>> CompiledFromPrimary = EF.CompileAsyncQuery((NotesDb db) => db.Topics.FromPrimary().Select(_ => NotesDb.ServerPort()).First());

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static IQueryable<int> Ports(NotesDb db) => db.Topics.Where(topic => topic.Id == -1).Select(_ => NotesDb.ServerPort());

    private async Task<string> WhoAsync(IQueryable<int> ports) => fixture.NameOf(await ports.SingleAsync(Ct));

    [Fact]
    public async Task Queries_are_spread_over_the_read_replicas()
    {
        await using var db = fixture.Open();
        var servers = new HashSet<string>();
        // A replica that is slower for a while gets no queries meanwhile.
        await TestExtensions.EventuallyAsync(async () =>
        {
            servers.Add(await WhoAsync(Ports(db)));
            return servers.Count >= Readers.Length;
        }, 20, "both serve");
        Assert.Equal(Readers, servers.Order());
    }

    [Fact]
    public void Synchronous_queries_read_on_the_read_replicas()
    {
        using var db = fixture.Open();
        var servers = new HashSet<string>();
        for (var i = 0; i < 50; i++) servers.Add(fixture.NameOf(Ports(db).Single()));
        Assert.Subset(Readers.ToHashSet(), servers);
    }

    [Fact]
    public async Task All_ways_to_run_a_query_read_on_replicas()
    {
        await using var db = fixture.Open();
        var notes = db.Notes.Where(note => note.Id == -1);
        int[] ports =
        [
            (await notes.ToListAsync(Ct))[0].Port,
            (await notes.AsNoTracking().ToArrayAsync(Ct))[0].Port,
            (await notes.AsNoTracking().FirstAsync(Ct)).Port,
            (await notes.AsNoTracking().SingleOrDefaultAsync(Ct))!.Port,
            await notes.MaxAsync(note => note.Port, Ct),
            await notes.GroupBy(note => note.Port).Select(group => group.Key).SingleAsync(Ct),
            (await notes.AsNoTracking().ToDictionaryAsync(note => note.Port, Ct)).Keys.Single(),
            notes.AsNoTracking().AsEnumerable().Single().Port,
            Compiled(db).Single().Port,
        ];
        Assert.All(ports, port => Assert.Contains(fixture.NameOf(port), Readers));
        await using var finding = fixture.Open();
        Assert.Contains(fixture.NameOf((await finding.Notes.FindAsync([-1L], Ct))!.Port), Readers);
        Assert.False(await notes.AnyAsync(note => note.Port == fixture.Cluster.Primary.Port, Ct));
        Assert.Equal(0, await notes.CountAsync(note => note.Port == fixture.Cluster.Primary.Port, Ct));
    }

    [Theory]
    [InlineData("read", "analytics", "background")]
    [InlineData("analytics", "analytics")]
    [InlineData("background", "background")]
    [InlineData("search", "background")]
    [InlineData("write", "primary")]
    [InlineData("transactional", "primary")]
    public async Task A_query_uses_the_route_that_it_states(string route, params string[] servers)
    {
        await using var db = fixture.Open();
        for (var i = 0; i < 5; i++) Assert.Contains(await WhoAsync(Ports(db).RouteTo(route)), servers);
        Assert.Contains(fixture.NameOf(Ports(db).RouteTo(route).Single()), servers);
    }

    [Fact]
    public async Task The_last_route_counts_wherever_it_is_in_the_query()
    {
        await using var db = fixture.Open();
        Assert.Equal("primary", await WhoAsync(Ports(db).FromPrimary()));
        Assert.Equal("analytics", await WhoAsync(Ports(db).FromPrimary().RouteTo(DatabaseOperation.Analytics)));
        Assert.Equal("background", await WhoAsync(db.Topics.RouteTo(DatabaseOperation.Background).Where(topic => topic.Id == -1).Select(_ => NotesDb.ServerPort())));
        Assert.Equal("analytics", fixture.NameOf(await db.Notes.Where(note => db.Topics.RouteTo(DatabaseOperation.Analytics).Any(topic => topic.Id == note.TopicId)).MaxAsync(note => note.Port, Ct)));
    }

    [Fact]
    public async Task The_options_of_a_query_take_effect_without_recompiling_it()
    {
        await using var db = fixture.Open();
        foreach (var consistency in new[] { Consistency.Strong, Consistency.Eventual, Consistency.Strong })
        {
            var options = new OperationOptions { Consistency = consistency };
            var server = await WhoAsync(Ports(db).RouteTo(DatabaseOperation.Analytics, options));
            Assert.Equal(consistency == Consistency.Strong ? "primary" : "analytics", server);
        }
    }

    [Fact]
    public async Task A_scope_sets_the_route_of_all_queries_in_it_and_the_innermost_counts()
    {
        await using var db = fixture.Open();
        using (fixture.Router.BeginRoute(DatabaseOperation.Background))
        {
            Assert.Equal("background", await WhoAsync(Ports(db)));
            using (fixture.Router.BeginRoute("analytics")) Assert.Equal("analytics", await WhoAsync(Ports(db)));
            Assert.Equal("background", await WhoAsync(Ports(db)));
            Assert.Equal("analytics", await WhoAsync(Ports(db).RouteTo(DatabaseOperation.Analytics)));
        }

        var before = fixture.Router.GetMetrics().QueriesRouted[DatabaseOperation.Read];
        await WhoAsync(Ports(db));
        Assert.Equal(before + 1, fixture.Router.GetMetrics().QueriesRouted[DatabaseOperation.Read]);
        Assert.Throws<ArgumentException>(() => fixture.Router.BeginRoute("nowhere"));
    }

    [Fact]
    public async Task Compiled_queries_keep_their_route()
    {
        await using var db = fixture.Open();
        for (var i = 0; i < 3; i++)
        {
            await foreach (var note in CompiledAsync(db, -1)) Assert.Equal("analytics", fixture.NameOf(note.Port));
            Assert.Equal("primary", fixture.NameOf(await CompiledFromPrimary(db)));
        }
    }

    [Fact]
    public async Task Raw_SQL_goes_to_the_primary_unless_it_is_declared_to_read()
    {
        await using var db = fixture.Open();
        var composed = db.Notes.FromSql($"SELECT * FROM note").Where(note => note.Id == -1).Select(note => note.Port);
        var plain = db.Notes.FromSql($"SELECT * FROM note WHERE id = -1").AsNoTracking();
        var scalar = db.Database.SqlQuery<int>($"SELECT inet_server_port() AS \"Value\"");
        Assert.Equal("primary", await WhoAsync(composed));
        Assert.Equal("primary", fixture.NameOf((await plain.ToListAsync(Ct))[0].Port));
        Assert.Equal("primary", await WhoAsync(scalar));
        Assert.Equal("analytics", await WhoAsync(composed.RouteTo(DatabaseOperation.Analytics)));
        Assert.Equal("analytics", fixture.NameOf((await plain.RouteTo(DatabaseOperation.Analytics).ToListAsync(Ct))[0].Port));
        Assert.Equal("analytics", await WhoAsync(scalar.RouteTo(DatabaseOperation.Analytics)));
        using var scope = fixture.Router.BeginRoute(DatabaseOperation.Background);
        Assert.Equal("background", await WhoAsync(scalar));
    }

    [Fact]
    public async Task SQL_that_writes_works_as_a_query_and_fails_where_it_was_declared_to_read()
    {
        await using var db = fixture.Open();
        var adding = db.Database.SqlQuery<int>($"SELECT add_note('by a query') AS \"Value\"");
        Assert.Equal("primary", fixture.NameOf((await adding.ToListAsync(Ct)).Single()));
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => adding.RouteTo(DatabaseOperation.Read).ToListAsync(Ct));
        Assert.Contains("25006", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_split_query_and_its_parts_read_on_replicas()
    {
        await using var db = fixture.Open();
        var topic = await db.Topics.Include(topic => topic.Notes).AsSplitQuery().SingleAsync(topic => topic.Id == -1, Ct);
        Assert.Contains(fixture.NameOf(topic.Port), Readers);
        Assert.Equal(2, topic.Notes.Count);
        Assert.All(topic.Notes, note => Assert.Contains(fixture.NameOf(note.Port), Readers));
        await using var other = fixture.Open();
        var routed = await other.Topics.Include(topic => topic.Notes).AsSplitQuery().RouteTo(DatabaseOperation.Background).SingleAsync(topic => topic.Id == -1, Ct);
        Assert.All(routed.Notes, note => Assert.Equal("background", fixture.NameOf(note.Port)));
    }

    [Fact]
    public async Task Lazy_loading_reads_on_replicas()
    {
        await using var db = fixture.Open(configure: options => options.UseLazyLoadingProxies());
        var note = await db.Notes.SingleAsync(note => note.Id == -1, Ct);
        Assert.Contains(fixture.NameOf(note.Topic!.Port), Readers);
        using (fixture.Router.BeginRoute(DatabaseOperation.Analytics)) Assert.Equal("analytics", fixture.NameOf(note.Topic.Notes.Single(other => other.Id == -2).Port));
    }

    [Fact]
    public async Task A_stream_stays_on_its_replica_while_the_context_saves()
    {
        await using var db = fixture.Open();
        var servers = new List<string>();
        await foreach (var note in db.Notes.Where(note => note.Id < 0).OrderBy(note => note.Id).AsAsyncEnumerable().WithCancellation(Ct))
        {
            servers.Add(fixture.NameOf(note.Port));
            var added = new Note { Text = "while reading" };
            db.Add(added);
            await db.SaveChangesAsync(Ct);
            Assert.Equal("primary", fixture.NameOf(added.Port));
        }

        Assert.Equal(2, servers.Count);
        Assert.Contains(Assert.Single(servers.Distinct()), Readers);
    }
}
