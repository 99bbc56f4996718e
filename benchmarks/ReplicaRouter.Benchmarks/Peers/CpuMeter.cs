using System.Globalization;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Benchmarks.Peers;

/// <summary>Measures the CPU time of this process and of those whose working folders are given: servers and proxies.</summary>
internal sealed class CpuMeter(IReadOnlyList<string> folders)
{
    /// <summary>Returns the CPU time used so far. No process may end between two readings.</summary>
    public TimeSpan Read()
    {
        var total = Environment.CpuUsage.TotalTime;
        foreach (var id in FolderProcesses.Find(folder => folders.Any(known => folder.StartsWith(known, StringComparison.Ordinal)))) total += TimeOf(id);
        return total;
    }

    /// <summary>Returns the busy time of all cores so far, including time stolen by other virtual machines.</summary>
    /// <remarks>Source: proc(5), <c>/proc/stat</c>: in hundredths of a second; the fourth and fifth numbers are idle time.</remarks>
    public static TimeSpan Machine()
    {
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(8).Select(field => long.Parse(field, CultureInfo.InvariantCulture)).ToList();
        return TimeSpan.FromSeconds((ticks.Sum() - ticks[3] - ticks[4]) / 100.0);
    }

    /// <remarks>Source: Linux, Documentation/scheduler/sched-stats: the first number is the first thread's CPU time in ns. These processes have one thread.</remarks>
    private static TimeSpan TimeOf(int processId)
    {
        try
        {
            var nanoseconds = File.ReadAllText($"/proc/{processId}/schedstat").Split(' ')[0];
            return TimeSpan.FromTicks(long.Parse(nanoseconds, CultureInfo.InvariantCulture) / TimeSpan.NanosecondsPerTick);
        }
        catch (IOException)
        {
            return TimeSpan.Zero; // The process has ended.
        }
    }
}
