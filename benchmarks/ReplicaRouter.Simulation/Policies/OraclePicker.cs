namespace ReplicaRouter.Simulation;

/// <summary>Picks with full knowledge of every server's speed and queue: the bound that no policy can beat.</summary>
internal sealed class OraclePicker(AppProcess process) : IHostPicker
{
    public int Pick(in Choice choice)
    {
        var mean = process.World.Scenario.Workload.MeanMs;
        return HostSet.Least(choice.Candidates, process.Random, host =>
        {
            var server = process.World.Servers[host];
            if (server.State != ServerState.Up) return double.MaxValue / 2;
            var line = Math.Max(0, server.Queued + 1 - server.Model.Workers) / (double)server.Model.Workers;
            return mean * server.Factor * (1 + line);
        });
    }
}
