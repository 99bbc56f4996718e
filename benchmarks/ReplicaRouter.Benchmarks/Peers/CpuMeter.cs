using System.Globalization;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Benchmarks.Peers;

/// <summary>The CPU time of this process, and of those that work in some folders: servers and proxies.</summary>
internal sealed class CpuMeter(IReadOnlyList<string> folders)
{
    /// <summary>The time that they have used up to now. Between two readings nobody may have ended.</summary>
    public TimeSpan Read()
    {
        var total = Environment.CpuUsage.TotalTime;
        foreach (var id in FolderProcesses.Find(folder => folders.Any(known => folder.StartsWith(known, StringComparison.Ordinal)))) total += TimeOf(id);
        return total;
    }

    /// <summary>The time that all cores were busy up to now, for whomever, or lent to another machine on the same hardware.</summary>
    /// <remarks>Source: proc(5), <c>/proc/stat</c>: in hundredths of a second; the fourth and fifth number are idle.</remarks>
    public static TimeSpan Machine()
    {
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(8).Select(field => long.Parse(field, CultureInfo.InvariantCulture)).ToList();
        return TimeSpan.FromSeconds((ticks.Sum() - ticks[3] - ticks[4]) / 100.0);
    }

    /// <remarks>Source: Linux, Documentation/scheduler/sched-stats: the first number is the time on the CPU in ns, of the first thread; all of these have one.</remarks>
    private static TimeSpan TimeOf(int processId)
    {
        try
        {
            var nanoseconds = File.ReadAllText($"/proc/{processId}/schedstat").Split(' ')[0];
            return TimeSpan.FromTicks(long.Parse(nanoseconds, CultureInfo.InvariantCulture) / TimeSpan.NanosecondsPerTick);
        }
        catch (IOException)
        {
            return TimeSpan.Zero; // It has ended.
        }
    }
}
