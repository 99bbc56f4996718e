using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Testing;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>
/// Each victim has a tenth of a core, and shares it with a busy neighbour: without one, a server that is asked little would always have time left, and
/// be as quick as the others.
/// </summary>
internal sealed class CpuStarvation(LocalCluster cluster) : IImpediment
{
    private readonly List<(CpuGroup Group, Neighbour Neighbour)> _starved = [];

    public Reach Reach { get; } = Reach.Directly(cluster);

    public void Begin(IReadOnlyList<LocalServer> victims)
    {
        foreach (var victim in victims)
        {
            var group = CpuGroup.OfATenth($"replicarouter-{Environment.ProcessId}-{victim.Name}");
            var neighbour = new Neighbour();
            _starved.Add((group, neighbour));
            group.Add(neighbour.ProcessId);
            // What a process forks while others are moved is found in the next round; from then on children are born into the group.
            while (FolderProcesses.Find(folder => folder == victim.DataDirectory).Except(group.Members()).ToList() is { Count: > 0 } others) others.ForEach(group.Add);
        }
    }

    public void End()
    {
        foreach (var (group, neighbour) in _starved)
        {
            neighbour.Dispose();
            group.Dispose();
        }

        _starved.Clear();
    }

    public ValueTask DisposeAsync()
    {
        End();
        return ValueTask.CompletedTask;
    }
}
