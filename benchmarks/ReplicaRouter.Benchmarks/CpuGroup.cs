using System.Globalization;

namespace ReplicaRouter.Benchmarks;

/// <summary>A control group of Linux, whose processes share the CPU's time that is the group's.</summary>
/// <remarks>Source: Linux, Documentation/scheduler/sched-bwc (version 1), Documentation/admin-guide/cgroup-v2 (<c>cpu.max</c>).</remarks>
internal sealed class CpuGroup : IDisposable
{
    private const string Version1 = "/sys/fs/cgroup/cpu";
    private const string Version2 = "/sys/fs/cgroup";
    private const string ProcessList = "cgroup.procs";

    // A short period: in one of the usual 100 ms the group would run for 10 ms and then stand still for 90.
    private const int PeriodUs = 10_000;

    private readonly string _folder;
    private readonly string _before = Own();

    private CpuGroup(string name)
    {
        _folder = Path.Combine(Root, name);
        Directory.CreateDirectory(_folder);
    }

    private static string Root => Directory.Exists(Version1) ? Version1 : Version2;

    /// <summary>Takes this process, and all that it starts from now on, into one group; null where this machine does not let us.</summary>
    /// <remarks>
    /// Without a group Linux shares the CPU out by session (<c>kernel.sched_autogroup_enabled</c>), and each of PostgreSQL's server processes is a session: on a busy
    /// machine one waits for up to 300 ms while others run, whoever sends it work. Where servers run by systemd or in containers they have groups.
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

    /// <summary>A group that has a tenth of one core.</summary>
    /// <exception cref="IOException">This machine does not let us.</exception>
    /// <exception cref="UnauthorizedAccessException">This machine does not let us.</exception>
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

    /// <summary>Version 2 controls the CPU only where the group above says so.</summary>
    private bool HasControl => File.Exists(Path.Combine(_folder, Root == Version1 ? "cpu.shares" : "cpu.weight"));

    public IEnumerable<int> Members() => File.ReadLines(Path.Combine(_folder, ProcessList)).Select(line => int.Parse(line, CultureInfo.InvariantCulture));

    public void Add(int processId) => Move(_folder, processId);

    /// <summary>Gives the processes back to the group that this process was in when it made this one, and removes the group.</summary>
    public void Dispose()
    {
        while (Members().ToList() is { Count: > 0 } members) members.ForEach(id => Move(_before, id));
        Directory.Delete(_folder);
    }

    /// <summary>The group that this process is in, as a folder.</summary>
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
            // It has ended.
        }
    }

    private static void Write(string folder, string file, int value) => File.WriteAllText(Path.Combine(folder, file), value.ToString(CultureInfo.InvariantCulture));
}
