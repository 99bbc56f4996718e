namespace ReplicaRouter.Simulation;

/// <summary>One after the other, from a host of its own on: what Npgsql's multi-host data source does.</summary>
internal sealed class RoundRobinPicker(AppProcess process) : IHostPicker
{
    private int _next = process.Random.Next(64);

    public int Pick(in Choice choice) => HostSet.Nth(choice.Candidates, _next++ % HostSet.Count(choice.Candidates));
}
