using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Testing;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>
/// Limits each victim to a tenth of a core, shared with a busy neighbour: without the neighbour, a server with few requests would never use up its time and would be as
/// fast as the others.
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
            // Children forked during the move are found in the next round; later ones start in the group.
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
