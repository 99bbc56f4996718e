using Demo.Display;
using ReplicaRouter;
using ReplicaRouter.Testing;

namespace Demo.Traffic;

/// <summary>Kills and restarts a replica under traffic, and reports when it serves again.</summary>
internal static class Drill
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    public static async Task RunAsync(LocalServer server, Tally tally, DemoOptions options, Screen screen, TimeProvider time, CancellationToken endToken)
    {
        var begin = time.GetTimestamp();
        string Elapsed() => FormattableString.Invariant($"{time.GetElapsedTime(begin).TotalSeconds:0.0} s");

        await TrafficRunner.PauseAsync(options.KillAfter, time, endToken);
        if (endToken.IsCancellationRequested) return;
        await server.KillAsync(CancellationToken.None);
        screen.Say($"Drill: {server.Name} was killed (kill -9) at {Elapsed()}");

        await TrafficRunner.PauseAsync(options.StartAfter - time.GetElapsedTime(begin), time, endToken);
        if (endToken.IsCancellationRequested) return;
        var before = Answers();
        await server.StartAsync(CancellationToken.None);
        screen.Say($"Drill: {server.Name} accepts connections at {Elapsed()}");

        while (!endToken.IsCancellationRequested && Answers() == before) await TrafficRunner.PauseAsync(s_look, time, endToken);
        if (Answers() == before)
        {
            screen.Say($"Drill: {server.Name} did not serve again before the end.");
            return;
        }

        screen.Say($"Drill: {server.Name} serves again at {Elapsed()}");
        screen.Say(options.Seconds is null ? "The drill is over. The traffic continues until Ctrl-C." : "The drill is over. The traffic continues until its time is up.");

        long Answers() => Enum.GetValues<DatabaseOperation>().Sum(operation => tally[server.Name, operation]);
    }
}
