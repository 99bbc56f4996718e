namespace ReplicaRouter.Simulation;

/// <summary>Picks hosts in turn, from a random start per process, like Npgsql's multi-host data source.</summary>
internal sealed class RoundRobinPicker(AppProcess process) : IHostPicker
{
    private int _next = process.Random.Next(64);

    public int Pick(in Choice choice) => HostSet.Nth(choice.Candidates, _next++ % HostSet.Count(choice.Candidates));
}
