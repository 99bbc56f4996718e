using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace ReplicaRouter.EntityFrameworkCore.Tests;

/// <summary>A context with one migration.</summary>
public class MigratedDb(DbContextOptions<MigratedDb> options) : DbContext(options)
{
}

[DbContext(typeof(MigratedDb))]
[Migration("20260101000000_First")]
public class First : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("CREATE TABLE migrated AS SELECT inet_server_port() AS port");
}
