using Accounting.Clients;
using Accounting.Organizations;
using Microsoft.EntityFrameworkCore;

namespace Accounting.Database;

/// <summary>The entities that are easier to handle as objects than as SQL. Routing is automatic: queries go to replicas, SaveChanges to the primary.</summary>
public sealed class AccountingDb(DbContextOptions<AccountingDb> options) : DbContext(options)
{
    public DbSet<Client> Clients => Set<Client>();
    public DbSet<Organization> Organizations => Set<Organization>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Client>(client =>
    {
        client.Property(c => c.Id).HasDefaultValueSql("gen_random_uuid()");
        client.Property(c => c.Status).HasDefaultValueSql("'active'");
        client.Property(c => c.CreatedAt).HasDefaultValueSql("now()");
        client.Property(c => c.UpdatedAt).HasDefaultValueSql("now()");
        client.HasOne<Organization>().WithMany().HasForeignKey(c => c.OrganizationId);
    });
}
