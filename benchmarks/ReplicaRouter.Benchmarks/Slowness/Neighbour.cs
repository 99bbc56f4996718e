using System.Diagnostics;

namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>A process that uses all CPU that it gets, and ends with this process.</summary>
internal sealed class Neighbour : IDisposable
{
    private readonly Process _process = Process.Start("sh", ["-c", "while kill -0 $PPID; do i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; done 2>/dev/null"]);

    public int ProcessId => _process.Id;

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
