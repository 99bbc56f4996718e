using System.Diagnostics;
using System.Runtime.Versioning;
using ReplicaRouter.Testing.Processes;
using static ReplicaRouter.Testing.Tests.Probe;

namespace ReplicaRouter.Testing.Tests;

/// <summary>What the guard of a cluster ends, and what it leaves alone.</summary>
[Trait("Failure", "C6")]
[SupportedOSPlatform("linux")]
public sealed class GuardTests : IDisposable
{
    private readonly string _parent = Directory.CreateTempSubdirectory("replicarouter-guard-").FullName;

    // The servers' account must be able to enter the folder.
    public GuardTests() => File.SetUnixFileMode(_parent, (UnixFileMode)0b111_101_101);

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    [Fact]
    public async Task The_guard_of_a_cluster_leaves_clusters_alone_whose_names_start_with_its_name()
    {
        LocalClusterOptions Options(string name) => new() { Folder = Path.Combine(_parent, name), Replicas = [] };
        await using var other = await LocalCluster.StartAsync(Options("dev2"), Ct);
        try
        {
            // This cluster can't start, so its guard acts.
            var broken = Options("dev");
            broken.Settings["shared_buffers"] = "plenty";
            await Assert.ThrowsAsync<LocalClusterException>(() => LocalCluster.StartAsync(broken, Ct));
            Assert.False(Directory.Exists(broken.Folder));
            Assert.True(other.Primary.IsRunning);
            Assert.Equal(1, await other.Primary.AskAsync<int>("SELECT 1"));
        }
        finally
        {
            await other.DeleteAsync(Ct);
        }
    }

    [Theory]
    [InlineData("dev*", "devel")]
    [InlineData("[d]ev", "dev")]
    [InlineData("dev", "dev2")]
    public async Task Only_processes_in_exactly_the_guarded_folder_are_killed(string guarded, string other)
    {
        using var inside = Sleeper(Path.Combine(guarded, "primary"));
        using var outside = Sleeper(Path.Combine(other, "primary"));
        await Guard.Over(Path.Combine(_parent, guarded), ServerAccount.Resolve()).ReleaseAsync();
        Assert.True(inside.WaitForExit(TimeSpan.FromSeconds(10)));
        Assert.False(outside.HasExited);
        outside.Kill();
        Assert.Equal([other], Directory.GetDirectories(_parent).Select(Path.GetFileName));
    }

    private Process Sleeper(string folder) =>
        Process.Start(new ProcessStartInfo("sleep", ["60"]) { WorkingDirectory = Directory.CreateDirectory(Path.Combine(_parent, folder)).FullName })!;
}
