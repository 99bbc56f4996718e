using static ReplicaRouter.Testing.Tests.Probe;

namespace ReplicaRouter.Testing.Tests;

/// <summary>A cluster with its own folder outlives the process that started it.</summary>
public sealed class KeptClusterTests : IAsyncDisposable
{
    private readonly string _parent = Path.Combine(Path.GetTempPath(), $"replicarouter-kept-{Guid.NewGuid():N}");

    private string Folder => Path.Combine(_parent, "cluster");

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Folder, "cluster.json"))) await (await LocalCluster.OpenAsync(Folder, CancellationToken.None)).DeleteAsync(CancellationToken.None);
        if (Directory.Exists(_parent)) Directory.Delete(_parent, recursive: true);
    }

    [Fact]
    public async Task A_kept_cluster_is_reopened_with_its_roles_and_settings()
    {
        string url;
        await using (var first = await StartAsync())
        {
            url = first["a"].Url;
            await first.PromoteAsync("a", cancellationToken: Ct);
            await first["b"].SetApplyDelayAsync(TimeSpan.FromSeconds(7), Ct);
            await first["primary"].KillAsync(Ct);
        }

        await using var second = await LocalCluster.OpenAsync(Folder, Ct);
        Assert.Equal("a", second.Primary.Name);
        Assert.Equal(url, second["a"].Url);
        Assert.Equal([false, true, true], second.Servers.Select(server => server.IsRunning));
        Assert.Equal("7s", await second["b"].AskAsync<string>("SELECT current_setting('recovery_min_apply_delay')"));

        // The first process's settings survive when the second one rewrites the file.
        await second["b"].SetApplyDelayAsync(TimeSpan.Zero, Ct);
        Assert.Equal("on", await second["b"].AskAsync<string>("SELECT current_setting('hot_standby_feedback')"));
        await second.StopAsync(Ct);
        Assert.DoesNotContain(second.Servers, server => server.IsRunning);
    }

    [Fact]
    public async Task Starting_again_starts_what_is_down_and_a_former_primary_as_a_standby()
    {
        await using (var first = await StartAsync())
        {
            await first["primary"].KillAsync(Ct);
            await first.PromoteAsync("a", cancellationToken: Ct);
        }

        await using var second = await StartAsync();
        Assert.Equal("a", second.Primary.Name);
        Assert.All(second.Servers, server => Assert.True(server.IsRunning));
        Assert.True(await second["primary"].AskAsync<bool>("SELECT pg_is_in_recovery()"));
        await second.WaitForReplicationAsync(Ct);
    }

    [Fact]
    public async Task A_failed_start_leaves_nothing_behind()
    {
        var options = new LocalClusterOptions { Folder = Folder, Replicas = [] };
        options.Settings["shared_buffers"] = "plenty";
        await Assert.ThrowsAsync<LocalClusterException>(() => LocalCluster.StartAsync(options, Ct));
        Assert.False(Directory.Exists(Folder));
        await Assert.ThrowsAsync<LocalClusterException>(() => LocalCluster.OpenAsync(Folder, Ct));
    }

    private Task<LocalCluster> StartAsync()
    {
        var options = new LocalClusterOptions { Folder = Folder, Replicas = [new LocalReplicaOptions { Name = "a" }, new LocalReplicaOptions { Name = "b" }] };
        options.Settings["hot_standby_feedback"] = "on";
        return LocalCluster.StartAsync(options, Ct);
    }
}
