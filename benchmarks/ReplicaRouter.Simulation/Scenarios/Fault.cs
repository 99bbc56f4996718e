namespace ReplicaRouter.Simulation;

/// <summary>Faults of servers; times are in seconds.</summary>
internal static class Fault
{
    public static Action<World> Slow(double from, double to, double factor, params int[] servers) => world =>
    {
        foreach (var server in servers)
        {
            world.At(from, () => world.Servers[server].Slowness = factor);
            world.At(to, () => world.Servers[server].Slowness = 1);
        }
    };

    public static Action<World> Kill(double from, double to, params int[] servers) => world =>
    {
        foreach (var server in servers)
        {
            world.At(from, world.Servers[server].Kill);
            world.At(to, world.Servers[server].Resume);
        }
    };

    public static Action<World> Hang(double from, double to, params int[] servers) => world =>
    {
        foreach (var server in servers)
        {
            world.At(from, world.Servers[server].Hang);
            world.At(to, world.Servers[server].Resume);
        }
    };

    /// <summary>Repeats a fault, in the first half of each period.</summary>
    public static Action<World> Repeated(double from, double to, double period, Func<double, double, Action<World>> fault) => world =>
    {
        for (var at = from; at < to; at += period) fault(at, at + (period / 2))(world);
    };

    /// <summary>Stops replay on one replica after another. When its stop ends, a replica is caught up immediately.</summary>
    public static Action<World> LagWave(double from, double length) => world =>
    {
        foreach (var (server, i) in world.Replicas.Select((server, i) => (server, i)))
        {
            var start = TimeSpan.FromSeconds(from + (length * i / world.Scenario.Replicas)).Ticks;
            var end = start + TimeSpan.FromSeconds(length).Ticks;
            server.Lag = now => now < start || now >= end ? TimeSpan.Zero : TimeSpan.FromTicks(now - start);
        }
    };

    public static Action<World> Overload(double from, double to, double factor, double after) => world =>
    {
        world.At(from, () => world.Load = factor);
        world.At(to, () => world.Load = after);
    };

    /// <summary>Pauses processes for up to half a second each, like garbage collections.</summary>
    public static Action<World> LocalPauses(TimeSpan every) => world =>
    {
        foreach (var process in world.Processes) Next(process);

        void Next(AppProcess process) => world.Events.After(every * 2 * world.Chance.NextDouble(), () =>
        {
            process.Clock.StandStill(TimeSpan.FromMilliseconds(500) * world.Chance.NextDouble());
            Next(process);
        });
    };
}
