using Demo.Display;
using Demo.Traffic;
using Npgsql;
using ReplicaRouter;
using ReplicaRouter.Testing;

namespace Demo;

/// <summary>Runs the whole demo: starts the cluster, the application and the traffic, prints the figures, and cleans up.</summary>
internal static class DemoRun
{
    public static async Task<int> RunAsync(DemoOptions options, TimeProvider time)
    {
        using var stop = new StopSignal();
        var screen = Screen.For(options);
        try
        {
            var summary = await RunAsync(options, screen, time, stop.Token);
            // Printed after the cleanup, so that it is the last output.
            screen.WriteSummary(summary);
            if (options.Json) await Console.Out.WriteLineAsync(summary.ToJson());
            return summary.Errors == 0 ? 0 : 1;
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            screen.Say("Stopped before the traffic started.");
            return 1;
        }
        catch (Exception e) when (e is LocalClusterException or DatabaseRouterConfigurationException or NpgsqlException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    private static async Task<Summary> RunAsync(DemoOptions options, Screen screen, TimeProvider time, CancellationToken stopToken)
    {
        screen.Say("Starting a PostgreSQL cluster: a primary and the replicas analytics, background and dr.");
        await using var cluster = await LocalCluster.StartAsync(null, stopToken);
        await using var application = await DemoApplication.StartAsync(cluster, stopToken);
        screen.Say($"The application listens on {application.Address}; its health is at {application.Address}/api/health");
        screen.Say($"Watch and operate the router at {application.DashboardAddress}");
        screen.Say(options.Seconds is { } seconds ? $"Traffic for {seconds} s." : "Traffic until Ctrl-C.");

        var tally = new Tally(cluster.Servers);
        await TrafficRunner.RunAsync(application, cluster, tally, options, screen, time, stopToken);
        return Summary.Of(tally, application.Router.GetMetrics(), await application.GetHealthAsync());
    }
}
