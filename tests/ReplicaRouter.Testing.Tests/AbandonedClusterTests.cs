using static ReplicaRouter.Testing.Tests.Probe;

namespace ReplicaRouter.Testing.Tests;

public class AbandonedClusterTests
{
    [Fact]
    public async Task A_process_killed_with_SIGKILL_leaves_neither_servers_nor_files_behind()
    {
        using var child = ChildProgram.Start();
        var fields = (await ChildProgram.FirstLineAsync(child)).Split(' ');
        Assert.Equal("READY", fields[0]);
        Assert.True(Directory.Exists(fields[1]));

        child.Kill();
        await UntilAsync(() => Task.FromResult(!Directory.Exists(fields[1]) && !Directory.Exists($"/proc/{fields[2]}") && !Directory.Exists($"/proc/{fields[3]}")), "all gone");
    }

    [Fact]
    public async Task A_full_disk_gives_one_clear_error()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting a small disk needs root");
        // 20 MB is too little for an empty cluster. Only this child sees the mount, which ends with it.
        using var child = ChildProgram.Start("unshare", "--mount", "sh", "-c",
            "mkdir -p /tmp/replicarouter-full && mount -t tmpfs -o size=20m none /tmp/replicarouter-full && TMPDIR=/tmp/replicarouter-full exec \"$@\"", "sh");
        var line = await ChildProgram.FirstLineAsync(child);
        await child.WaitForExitAsync(Ct);
        Directory.Delete("/tmp/replicarouter-full");
        Assert.StartsWith("ERROR", line, StringComparison.Ordinal);
        Assert.Contains("No space left on device", line, StringComparison.Ordinal);
    }
}
