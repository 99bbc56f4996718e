using System.Runtime.Versioning;
using ReplicaRouter.Testing.Processes;
using static ReplicaRouter.Testing.Tests.Probe;

namespace ReplicaRouter.Testing.Tests;

/// <summary>What the account under which root runs the servers could make root do. Any other user runs the servers under their own account, which gains nothing.</summary>
[Trait("Failure", "C4")]
[SupportedOSPlatform("linux")]
public sealed class ServersAccountTests : IDisposable
{
    private const string Secret = "only root may read and write this";

    private readonly ServerAccount _account = ServerAccount.Resolve();
    private readonly string _parent = Directory.CreateTempSubdirectory("replicarouter-root-").FullName;

    public ServersAccountTests() => File.SetUnixFileMode(_parent, (UnixFileMode)0b111_101_101);

    private string Victim => Path.Combine(_parent, "victim");

    private string Folder => Path.Combine(_parent, "cluster");

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    [Fact]
    public async Task A_link_in_a_data_directory_does_not_lead_root_out_of_it()
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new LocalReplicaOptions { Name = "a" }] }, Ct);
        await File.WriteAllTextAsync(Victim, Secret, Ct);
        File.SetUnixFileMode(Victim, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var server = cluster["a"];
        foreach (var file in (string[])["postgresql.conf", "backup_label", "standby.signal"]) await TryAsync($"ln -sf {Victim} {server.DataDirectory}/{file}");
        await server.SetApplyDelayAsync(TimeSpan.FromSeconds(1), Ct);
        await server.KillAsync(Ct);
        await TryAsync($"ln -sf {Victim} {server.DataDirectory}/postmaster.pid");
        await TryAsync($"ln -sfn {_parent} {server.DataDirectory}/pg_stat");
        AssertUntouched();

        await cluster.RejoinAsync("a", Ct);
        Assert.True(await server.AskAsync<bool>("SELECT pg_is_in_recovery()"));
        AssertUntouched();
    }

    [Fact]
    public async Task The_servers_account_cannot_replace_anything_in_the_cluster_s_folder()
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Folder = Folder, Replicas = [] }, Ct);
        try
        {
            if (_account.Ids.User.Length == 0) return;  // The servers run as this user, who may change anything.
            foreach (var entry in Directory.EnumerateFileSystemEntries(Folder)) Assert.NotEqual(0, await TryAsync($"mv {entry} {entry}.old"));
            Assert.NotEqual(0, await TryAsync($"ln -s {Victim} {Folder}/new"));
            Assert.NotEqual(0, await TryAsync($"cat {Folder}/cluster.json"));
        }
        finally
        {
            await cluster.DeleteAsync(Ct);
        }
    }

    [Fact]
    public async Task A_folder_that_others_can_change_is_refused()
    {
        Directory.CreateDirectory(Folder);
        await File.WriteAllTextAsync(Path.Combine(Folder, "cluster.json"), "{}", Ct);
        File.SetUnixFileMode(Folder, (UnixFileMode)0b111_111_111);
        var error = await Assert.ThrowsAsync<LocalClusterException>(() => LocalCluster.OpenAsync(Folder, Ct));
        Assert.Contains("could have put anything there", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<LocalClusterException>(() => LocalCluster.StartAsync(new LocalClusterOptions { Folder = Folder }, Ct));
    }

    private void AssertUntouched()
    {
        Assert.Equal(Secret, File.ReadAllText(Victim));
        Assert.Equal(Native.EffectiveUser(), Native.Look(Victim)!.Value.Owner);
    }

    private async Task<int> TryAsync(string command) => (await Command.RunAsync(_account.Run("sh", ["-c", command], "/"), Ct)).ExitCode;
}
