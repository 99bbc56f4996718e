using Dapper;
using Npgsql;
using ReplicaRouter.ClusterTests.Failures;
using ReplicaRouter.Testing;

[assembly: AssemblyFixture(typeof(DamagedCluster))]

namespace ReplicaRouter.ClusterTests.Failures;

/// <summary>A primary and two replicas. On <c>analytics</c>, one table's file is missing, another's is damaged, and a function fails.</summary>
public sealed class DamagedCluster : IAsyncLifetime
{
    private LocalCluster? _cluster;
    private Task? _starting;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public LocalCluster Cluster => _cluster!;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Starts the cluster for the first test that needs it.</summary>
    public Task StartAsync() => _starting ??= DamageAsync();

    /// <summary>Returns a query that fails only on <c>analytics</c>.</summary>
    public static string Read(string sqlState) => sqlState switch
    {
        "58P01" => "SELECT count(*) FROM lost",
        "XX001" => "SELECT count(*) FROM damaged",
        // For example out of memory, or a migration that it has not replayed yet.
        _ => $"SELECT fails('{sqlState}')",
    };

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
    }

    private async Task DamageAsync()
    {
        var cluster = _cluster = await FailureCluster.StartAsync("analytics", "background");
        var analytics = cluster["analytics"];
        await using var primary = new NpgsqlConnection(cluster.Primary.ConnectionString);
        await primary.ExecuteAsync($"""
            CREATE TABLE lost AS SELECT generate_series(1, 1000) AS id;
            CREATE TABLE damaged AS SELECT generate_series(1, 1000) AS id;
            CREATE TABLE well AS SELECT generate_series(1, 1000) AS id;
            CREATE FUNCTION fails(code text) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN
                IF current_setting('port')::int = {analytics.Port} THEN RAISE 'only here' USING ERRCODE = code; END IF;
                RETURN 1;
            END $$;
            """);
        var paths = (await primary.QueryAsync<string>("SELECT pg_relation_filepath(name) FROM unnest(ARRAY['lost'::regclass, 'damaged'::regclass]) name")).ToList();
        foreach (var server in new[] { cluster.Primary, analytics })
        {
            await cluster.WaitForReplicationAsync(Ct);
            await using var admin = new NpgsqlConnection(server.SuperuserConnectionString);
            await admin.ExecuteAsync("CHECKPOINT;");
        }

        await analytics.StopAsync(cancellationToken: Ct);
        File.Delete(Path.Combine(analytics.DataDirectory, paths[0]));
        await using (var file = File.OpenWrite(Path.Combine(analytics.DataDirectory, paths[1]))) await file.WriteAsync(Enumerable.Repeat((byte)0xff, 64).ToArray(), Ct);
        await analytics.StartAsync(Ct);
        await cluster.WaitForReplicationAsync(Ct);
    }
}
