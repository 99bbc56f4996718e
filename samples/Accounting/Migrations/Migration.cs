using Dapper;
using ReplicaRouter;

namespace Accounting.Migrations;

/// <summary>Brings the schema up to date.</summary>
public sealed class Migration(DatabaseRouter router)
{
    // An arbitrary number that nothing else in the database uses. Instances that start at the same time wait for each other.
    private const long Lock = 0x_acc0_0001;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Write, cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition("SELECT pg_advisory_xact_lock(@Lock)", new { Lock }, cancellationToken: cancellationToken));
        // Suppresses the notice about each object that 'IF NOT EXISTS' skips.
        await connection.ExecuteAsync(new CommandDefinition("SET LOCAL client_min_messages = warning", cancellationToken: cancellationToken));
        await connection.ExecuteAsync(new CommandDefinition(await ReadScriptAsync(cancellationToken), cancellationToken: cancellationToken));
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task<string> ReadScriptAsync(CancellationToken cancellationToken)
    {
        await using var script = typeof(Migration).Assembly.GetManifestResourceStream("Accounting.Migrations.001-schema.sql")!;
        using var reader = new StreamReader(script);
        return await reader.ReadToEndAsync(cancellationToken);
    }
}
