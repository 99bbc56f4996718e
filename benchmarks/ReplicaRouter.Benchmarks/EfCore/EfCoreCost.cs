using System.CommandLine;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;
using Spectre.Console;

namespace ReplicaRouter.Benchmarks.EfCore;

/// <summary>
/// The cost of routing for Entity Framework Core, compared with plain EF Core and one server's data source: a query that reads one row, and a save of one row, also with a
/// retrying strategy, where the router runs it in a transaction whose outcome it can look up.
/// </summary>
internal sealed class EfCoreCost : IAsyncDisposable
{
    private const int Block = 50;
    private const int WarmUps = 8;

    private readonly NpgsqlDataSource _replica;
    private readonly NpgsqlDataSource _primary;
    private readonly DatabaseRouter _router;
    private readonly PooledDbContextFactory<NotesDb> _plain;
    private readonly PooledDbContextFactory<NotesDb> _routed;
    private readonly DbContextOptions<NotesDb> _plainOptions;
    private readonly DbContextOptions<NotesDb> _routedOptions;
    private int _lastId = 1;

    private EfCoreCost(LocalCluster cluster)
    {
        // With one replica, both read from the same server.
        _router = DatabaseRouter.Create(cluster.RouterOptions("primary", "analytics"));
        _replica = NpgsqlDataSource.Create(cluster["analytics"].ConnectionString);
        _primary = NpgsqlDataSource.Create(cluster.Primary.ConnectionString);
        _plainOptions = new DbContextOptionsBuilder<NotesDb>().UseNpgsql(_replica).Options;
        _routedOptions = new DbContextOptionsBuilder<NotesDb>().UseReplicaRouter(_router).Options;
        (_plain, _routed) = (new(_plainOptions), new(_routedOptions));
    }

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Turns of each variant.", DefaultValueFactory = _ => 100 };
        var json = new Option<bool>("--json") { Description = "Prints the ratios as one JSON object on the last line of standard output." };
        var command = new Command("efcore", "Measures the cost of routing for Entity Framework Core, compared with plain EF Core.") { rounds, json };
        command.SetAction((parsed, ct) => RunAsync(Math.Max(1, parsed.GetValue(rounds)), parsed.GetValue(json), ct));
        return command;
    }

    private static async Task RunAsync(int rounds, bool isJson, CancellationToken ct)
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new() { Name = "analytics" }] }, ct);
        await using (var source = NpgsqlDataSource.Create(cluster.Primary.ConnectionString))
        await using (var create = source.CreateCommand("CREATE TABLE note (id int PRIMARY KEY, text text NOT NULL); INSERT INTO note VALUES (1, 'a note')")) await create.ExecuteNonQueryAsync(ct);
        await cluster.WaitForReplicationAsync(ct);
        await using var cost = new EfCoreCost(cluster);
        await cost._router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), ct);

        var pooled = await MeasureAsync("A pooled context for each query", rounds, count => cost.PooledAsync(cost._plain, count), count => cost.PooledAsync(cost._routed, count));
        var created = await MeasureAsync("A new context for each query", rounds, count => NewAsync(cost._plainOptions, count), count => NewAsync(cost._routedOptions, count));
        var kept = await MeasureAsync("One context for all queries", rounds, count => KeptAsync(cost._plainOptions, count), count => KeptAsync(cost._routedOptions, count));
        var saved = await cost.MeasureSavesAsync("A save of one row", rounds, _ => { });
        var retried = await cost.MeasureSavesAsync("A save of one row, with EnableRetryOnFailure", rounds, npgsql => npgsql.EnableRetryOnFailure());
        foreach (var (host, routes) in cost._router.GetMetrics().QueriesByHost) AnsiConsole.WriteLine($"{host}: {string.Join(", ", routes.Select(route => $"{route.Value} {route.Key}"))}");
        if (isJson)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $$"""{ "pooled": {{pooled.Ratio:0.000}}, "pooledBytes": {{pooled.Bytes:0}}, "new": {{created.Ratio:0.000}}, "newBytes": {{created.Bytes:0}}, "kept": {{kept.Ratio:0.000}}, "keptBytes": {{kept.Bytes:0}}, "save": {{saved.Ratio:0.000}}, "saveRetried": {{retried.Ratio:0.000}} }"""));
        }
    }

    private Task<(double Ratio, double Bytes)> MeasureSavesAsync(string title, int rounds, Action<NpgsqlDbContextOptionsBuilder> configure)
    {
        var plain = new DbContextOptionsBuilder<NotesDb>().UseNpgsql(_primary, configure).Options;
        var routed = new DbContextOptionsBuilder<NotesDb>().UseReplicaRouter(_router, configure).Options;
        return MeasureAsync(title, rounds, count => SaveAsync(plain, count), count => SaveAsync(routed, count));
    }

    private static async Task<(double Ratio, double Bytes)> MeasureAsync(string title, int rounds, Func<int, Task> plain, Func<int, Task> routed)
    {
        var timings = await Interleaved.MeasureAsync(Block, WarmUps, rounds, plain, routed);
        var (plainBytes, routedBytes) = (await BytesAsync(plain), await BytesAsync(routed));
        var table = new Table().Title(title).AddColumns("variant", "median us", "ratio", "bytes", "more");
        table.AddRow("EF Core, that server alone", $"{timings[0].Nanoseconds / 1000:0.0}", "1.00", $"{plainBytes:0}", "");
        table.AddRow("EF Core, self-routed", $"{timings[1].Nanoseconds / 1000:0.0}", $"{timings[1].RatioTo(timings[0]):0.00}", $"{routedBytes:0}", $"{routedBytes - plainBytes:+0;-0}");
        AnsiConsole.Write(table);
        return (timings[1].RatioTo(timings[0]), routedBytes - plainBytes);
    }

    /// <summary>Returns the bytes allocated per operation by all threads, as queries change threads; includes the router's probes.</summary>
    private static async Task<double> BytesAsync(Func<int, Task> run)
    {
        const int Count = 10_000;
        // Until the runtime has fully optimised the code, some objects that do not escape are still allocated.
        await run(Count);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await run(Count);
        return (double)(GC.GetTotalAllocatedBytes(precise: true) - before) / Count;
    }

    private async Task PooledAsync(PooledDbContextFactory<NotesDb> factory, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await using var db = factory.CreateDbContext();
            await ReadAsync(db);
        }
    }

    private static async Task NewAsync(DbContextOptions<NotesDb> options, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await using var db = new NotesDb(options);
            await ReadAsync(db);
        }
    }

    private static async Task KeptAsync(DbContextOptions<NotesDb> options, int count)
    {
        await using var db = new NotesDb(options);
        for (var i = 0; i < count; i++) await ReadAsync(db);
    }

    private async Task SaveAsync(DbContextOptions<NotesDb> options, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await using var db = new NotesDb(options);
            db.Add(new Note { Id = ++_lastId, Text = "a note" });
            await db.SaveChangesAsync();
        }
    }

    private static Task<Note> ReadAsync(NotesDb db)
    {
        var id = 1;
        return db.Notes.AsNoTracking().SingleAsync(note => note.Id == id);
    }

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        await _replica.DisposeAsync();
        await _primary.DisposeAsync();
    }

    private sealed class NotesDb(DbContextOptions<NotesDb> options) : DbContext(options)
    {
        public DbSet<Note> Notes => Set<Note>();

        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Note>(note =>
        {
            note.ToTable("note");
            note.Property(n => n.Id).HasColumnName("id");
            note.Property(n => n.Text).HasColumnName("text");
        });
    }

    private sealed class Note
    {
        public int Id { get; set; }
        public required string Text { get; set; }
    }
}
