using Microsoft.EntityFrameworkCore;
using ReplicaRouter;

await using var router = DatabaseRouter.FromEnvironment();
await using var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseReplicaRouter(router).Options);
await shop.Database.ExecuteSqlAsync($"CREATE TABLE IF NOT EXISTS product (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, name text NOT NULL)");

// SaveChanges goes to the primary; queries go to replicas, and see what this context has saved.
shop.Products.Add(new Product { Name = "lamp" });
await shop.SaveChangesAsync();
Console.WriteLine($"{await shop.Products.CountAsync()} products");

// Hand-written SQL goes to the primary, unless RouteTo sends it elsewhere.
FormattableString port = $"SELECT current_setting('port') AS \"Value\"";
Console.WriteLine($"written to 127.0.0.1:{await shop.Database.SqlQuery<string>(port).SingleAsync()}");
Console.WriteLine($"read from 127.0.0.1:{await shop.Database.SqlQuery<string>(port).RouteTo(DatabaseOperation.Read).SingleAsync()}");

internal sealed class Shop(DbContextOptions<Shop> options) : DbContext(options)
{
    public DbSet<Product> Products => Set<Product>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Product>(product =>
    {
        product.ToTable("product");
        product.Property(p => p.Id).HasColumnName("id");
        product.Property(p => p.Name).HasColumnName("name");
    });
}

internal sealed class Product
{
    public int Id { get; set; }
    public required string Name { get; set; }
}
