using System.Globalization;

namespace ReplicaRouter.Benchmarks;

/// <summary>A Linux control group: its processes share the group's CPU time.</summary>
/// <remarks>Source: Linux, Documentation/scheduler/sched-bwc (version 1), Documentation/admin-guide/cgroup-v2 (<c>cpu.max</c>).</remarks>
internal sealed class CpuGroup : IDisposable
{
    private const string Version1 = "/sys/fs/cgroup/cpu";
    private const string Version2 = "/sys/fs/cgroup";
    private const string ProcessList = "cgroup.procs";

    // In a period of the usual 100 ms the group would run for 10 ms and then stall for 90.
    private const int PeriodUs = 10_000;

    private readonly string _folder;
    private readonly string _before = Own();

    private CpuGroup(string name)
    {
        _folder = Path.Combine(Root, name);
        Directory.CreateDirectory(_folder);
    }

    private static string Root => Directory.Exists(Version1) ? Version1 : Version2;

    /// <summary>Moves this process, and all that it starts from now on, into one group; null if this machine does not permit it.</summary>
    /// <remarks>
    /// Without a group, Linux divides the CPU by session (<c>kernel.sched_autogroup_enabled</c>), and each PostgreSQL backend is a session: on a busy machine a
    /// backend can wait for up to 300 ms while others run, whichever client it serves. Servers under systemd or in containers have groups.
    /// Source: sched(7), "The autogroup feature".
    /// </remarks>
    public static CpuGroup? TryJoin(string name)
    {
        try
        {
            var group = new CpuGroup(name);
            if (group.HasControl)
            {
                group.Add(Environment.ProcessId);
                return group;
            }

            group.Dispose();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Creates a group that is limited to a tenth of one core.</summary>
    /// <exception cref="IOException">This machine does not permit it.</exception>
    /// <exception cref="UnauthorizedAccessException">This machine does not permit it.</exception>
    public static CpuGroup OfATenth(string name)
    {
        var group = new CpuGroup(name);
        var quota = PeriodUs / 10;
        if (Root == Version1)
        {
            Write(group._folder, "cpu.cfs_period_us", PeriodUs);
            Write(group._folder, "cpu.cfs_quota_us", quota);
        }
        else
        {
            File.WriteAllText(Path.Combine(group._folder, "cpu.max"), string.Create(CultureInfo.InvariantCulture, $"{quota} {PeriodUs}"));
        }

        return group;
    }

    /// <summary>Whether the group controls the CPU. In version 2 it does only if its parent enables the controller.</summary>
    private bool HasControl => File.Exists(Path.Combine(_folder, Root == Version1 ? "cpu.shares" : "cpu.weight"));

    public IEnumerable<int> Members() => File.ReadLines(Path.Combine(_folder, ProcessList)).Select(line => int.Parse(line, CultureInfo.InvariantCulture));

    public void Add(int processId) => Move(_folder, processId);

    /// <summary>Moves the processes to this process's former group, and removes this one.</summary>
    public void Dispose()
    {
        while (Members().ToList() is { Count: > 0 } members) members.ForEach(id => Move(_before, id));
        Directory.Delete(_folder);
    }

    /// <summary>Returns the folder of the group that this process is in.</summary>
    public static string Own()
    {
        // Lines like "1:cpu,cpuacct:/path" (version 1) and "0::/path" (version 2).
        var fields = File.ReadLines("/proc/self/cgroup").Select(line => line.Split(':', 3)).First(fields => Root == Version1 ? fields[1].Split(',').Contains("cpu") : fields[1].Length == 0);
        return Root + fields[2];
    }

    private static void Move(string folder, int processId)
    {
        try
        {
            Write(folder, ProcessList, processId);
        }
        catch (IOException) when (!Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}")))
        {
            // The process has ended.
        }
    }

    private static void Write(string folder, string file, int value) => File.WriteAllText(Path.Combine(folder, file), value.ToString(CultureInfo.InvariantCulture));
}
