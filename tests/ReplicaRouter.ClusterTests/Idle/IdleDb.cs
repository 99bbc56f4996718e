using Microsoft.EntityFrameworkCore;

namespace ReplicaRouter.ClusterTests.Idle;

internal sealed class IdleDb(DbContextOptions<IdleDb> options) : DbContext(options)
{
    public const string Schema = "CREATE TABLE visit (id uuid, by text NOT NULL)";

    public DbSet<Visit> Visits => Set<Visit>();

    public static IdleDb Over(DatabaseRouter router) => new(new DbContextOptionsBuilder<IdleDb>().UseReplicaRouter(router).Options);

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        var visit = modelBuilder.Entity<Visit>().ToTable("visit");
        visit.Property(v => v.Id).HasColumnName("id");
        visit.Property(v => v.By).HasColumnName("by");
    }
}

/// <summary>A row of a table without a key, so that a repeated write shows.</summary>
internal sealed class Visit
{
    public Guid Id { get; set; }

    public string By { get; set; } = "";
}
