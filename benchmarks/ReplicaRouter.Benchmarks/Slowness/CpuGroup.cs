using System.Globalization;

namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>A control group of Linux whose processes share a limited time on the CPU.</summary>
/// <remarks>Source: Linux, Documentation/scheduler/sched-bwc (version 1), Documentation/admin-guide/cgroup-v2 (<c>cpu.max</c>).</remarks>
internal sealed class CpuGroup : IDisposable
{
    private const string Version1 = "/sys/fs/cgroup/cpu";
    private const string Version2 = "/sys/fs/cgroup";
    private const string ProcessList = "cgroup.procs";

    // A short period: in one of the usual 100 ms the group would run for 10 ms and then stand still for 90.
    private const int PeriodUs = 10_000;
    private readonly string _folder;

    private CpuGroup(string folder) => _folder = folder;

    private static string Root => Directory.Exists(Version1) ? Version1 : Version2;

    /// <summary>A group that has a tenth of one core.</summary>
    /// <exception cref="IOException">This machine does not let us.</exception>
    /// <exception cref="UnauthorizedAccessException">This machine does not let us.</exception>
    public static CpuGroup OfATenth(string name)
    {
        var folder = Path.Combine(Root, name);
        Directory.CreateDirectory(folder);
        var quota = PeriodUs / 10;
        if (Root == Version1)
        {
            Write(folder, "cpu.cfs_period_us", PeriodUs);
            Write(folder, "cpu.cfs_quota_us", quota);
        }
        else
        {
            File.WriteAllText(Path.Combine(folder, "cpu.max"), string.Create(CultureInfo.InvariantCulture, $"{quota} {PeriodUs}"));
        }

        return new(folder);
    }

    public IEnumerable<int> Members() => File.ReadLines(Path.Combine(_folder, ProcessList)).Select(line => int.Parse(line, CultureInfo.InvariantCulture));

    public void Add(int processId) => Move(_folder, processId);

    /// <summary>Gives the processes back to the group that this process is in, and removes the group.</summary>
    public void Dispose()
    {
        while (Members().ToList() is { Count: > 0 } members) members.ForEach(id => Move(Own(), id));
        Directory.Delete(_folder);
    }

    private static string Own()
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
