using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NodaTime;
using Npgsql;

namespace ReplicaRouter.EntityFrameworkCore.Tests;

/// <summary>The code of docs/guide/efcore.md.</summary>
internal static class GuideSnippets
{
    public sealed class AppDb(DbContextOptions<AppDb> options) : DbContext(options)
    {
        public DbSet<Client> Clients => Set<Client>();
        public DbSet<Invoice> Invoices => Set<Invoice>();
    }

    public sealed class Client
    {
        public Guid Id { get; set; }
        public string Name { get; set; } = "";
        public decimal Balance { get; set; }
    }

    public sealed class Invoice
    {
        public Guid Id { get; set; }
        public Instant IssuedAt { get; set; }
        public decimal Total { get; set; }
    }

    public static void Register(HostApplicationBuilder builder)
    {
        #region register
        builder.AddReplicaRouter();
        builder.Services.AddRoutedDbContext<AppDb>(npgsql => npgsql.EnableRetryOnFailure());   // or AddRoutedDbContextPool
        #endregion
    }

    public static void WithoutServices(DatabaseRouter router)
    {
        #region without
        var options = new DbContextOptionsBuilder<AppDb>().UseReplicaRouter(router).Options;
        #endregion
        _ = options;
    }

    public static async Task UseAsync(AppDb db, Guid id, CancellationToken ct)
    {
        #region use
        var client = await db.Clients.SingleAsync(c => c.Id == id, ct);      // a replica
        client.Name = "Renamed";
        await db.SaveChangesAsync(ct);                                       // the primary
        var all = await db.Clients.OrderBy(c => c.Name).ToListAsync(ct);     // a replica that has it, or the primary
        #endregion
        _ = all;
    }

    public static async Task RouteAsync(AppDb db, DatabaseRouter router, Guid id, CancellationToken ct)
    {
        #region route
        var total = await db.Invoices.RouteTo(DatabaseOperation.Analytics).SumAsync(i => i.Total, ct);
        var recent = await db.Invoices.RouteTo("search", new OperationOptions { MaxLag = TimeSpan.FromSeconds(1) }).Take(10).ToListAsync(ct);
        var balance = await db.Clients.FromPrimary().Where(c => c.Id == id).Select(c => c.Balance).SingleAsync(ct);

        using (router.BeginRoute(DatabaseOperation.Background))
        {
            var clients = await db.Clients.ToListAsync(ct);                  // for all queries in this block, in all contexts of this router
        }
        #endregion
        _ = (total, recent, balance);
    }

    public static async Task SqlAsync(AppDb db, CancellationToken ct)
    {
        #region sql
        var names = await db.Database.SqlQuery<string>($"SELECT name FROM clients").RouteTo(DatabaseOperation.Read).ToListAsync(ct);
        #endregion
        _ = names;
    }

    #region factory
    public sealed class Reports(IRoutedDbContextFactory<AppDb> factory)
    {
        public async Task<decimal> TotalAsync(CancellationToken ct)
        {
            await using var db = factory.CreateDbContext(DatabaseOperation.Analytics);
            return await db.Invoices.SumAsync(i => i.Total, ct);
        }
    }
    #endregion

    public static async Task RetryAsync(AppDb db, Client client, CancellationToken ct)
    {
        #region verify
        await db.Database.CreateExecutionStrategy().ExecuteInTransactionAsync(
            token => db.SaveChangesAsync(acceptAllChangesOnSuccess: false, token),
            token => db.Clients.FromPrimary().AnyAsync(c => c.Id == client.Id, token), ct);
        db.ChangeTracker.AcceptAllChanges();
        #endregion
    }

    public static void Mappings(HostApplicationBuilder builder)
    {
        #region mappings
        builder.AddReplicaRouter(options => options.ConfigureDataSource = source => source.UseNodaTime());
        builder.Services.AddRoutedDbContext<AppDb>(npgsql => npgsql.UseNodaTime());
        #endregion
    }
}
