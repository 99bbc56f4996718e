using System.CommandLine;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Dashboard;

/// <summary>Measures the cost of the open page for an application under load, and looks for memory leaks on both sides.</summary>
internal static class DashboardCommand
{
    private const int Pairs = 8;
    private const int Readings = 8;
    private const double MostCpu = 0.01;

    // Opening the page and compiling the code that serves it are not part of the cost of an open page.
    private static readonly TimeSpan s_settling = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var seconds = new Option<int>("--seconds") { Description = "Seconds in total: half for the CPU, with the page alternately closed and open; half for the memory, with it open.", DefaultValueFactory = _ => 600 };
        var command = new Command("dashboard", "Opens the dashboard of an application under load, and prints its cost in CPU and memory on both sides.") { seconds };
        command.SetAction((parsed, ct) => RunAsync(TimeSpan.FromSeconds(Math.Max(32, parsed.GetValue(seconds))), ct));
        return command;
    }

    private static async Task<int> RunAsync(TimeSpan time, CancellationToken ct)
    {
        await using var cluster = await LocalCluster.StartAsync(cancellationToken: ct);
        await using var app = Build(cluster);
        await app.StartAsync(ct);
        var router = app.Services.GetRequiredService<DatabaseRouter>();
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), ct);
        await using var load = new PacedLoad(router);
        await using var browser = await PageInBrowser.LaunchAsync(new Uri(app.Urls.First() + "/replica-router/"));

        var (closed, open) = (new List<double>(), new List<double>());
        for (var pair = 0; pair < Pairs; pair++)
        {
            await browser.CloseAsync();
            closed.Add(await CpuAsync(time / (4 * Pairs), ct));
            await browser.OpenAsync();
            open.Add(await CpuAsync(time / (4 * Pairs), ct));
            Print($"CPU of one core: {closed[^1]:0.00 %} closed, {open[^1]:0.00 %} open");
        }

        var (done, start) = (load.Done, TimeProvider.System.GetTimestamp());
        var memory = new List<(long App, long Page)>();
        for (var reading = 1; reading <= Readings; reading++)
        {
            await Task.Delay(time / 2 / Readings, ct);
            memory.Add((GC.GetTotalMemory(forceFullCollection: true), await browser.UsedAsync()));
            Print($"{time.TotalSeconds / 2 * reading / Readings,5:0} s: application {memory[^1].App / 1e6:0.00} MB, page {memory[^1].Page / 1e6:0.00} MB in use");
        }

        var rate = (load.Done - done) / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        // The median: the first turns include compilation, and other work of the machine disturbs one or two.
        var differences = open.Zip(closed, (with, without) => with - without).Order().ToList();
        var cost = (differences[(Pairs - 1) / 2] + differences[Pairs / 2]) / 2;
        var appGrowth = Growth([.. memory.Select(reading => reading.App)]);
        var pageGrowth = Growth([.. memory.Select(reading => reading.Page)]);
        Print($"The open page costs {cost:+0.00 %;-0.00 %} of one core at {rate:0} operations/s; memory over the second half: application {appGrowth / 1e3:+0;-0} kB, page {pageGrowth / 1e3:+0;-0} kB");
        var holds = cost < MostCpu && appGrowth < 500_000 && pageGrowth < 500_000;
        Print($"{(holds ? "holds" : "DOES NOT HOLD")}: less than {MostCpu:0 %} CPU, no growing memory");
        return holds ? 0 : 1;
    }

    private static async Task<double> CpuAsync(TimeSpan time, CancellationToken ct)
    {
        await Task.Delay(s_settling, ct);
        var (start, cpu) = (TimeProvider.System.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await Task.Delay(time, ct);
        return (Environment.CpuUsage.TotalTime - cpu) / TimeProvider.System.GetElapsedTime(start);
    }

    private static WebApplication Build(LocalCluster cluster)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddReplicaRouter(options =>
        {
            foreach (var (name, host) in cluster.RouterOptions().Hosts) options.Hosts[name] = host;
        });
        var app = builder.Build();
        app.MapReplicaRouterDashboard("/replica-router");
        return app;
    }

    /// <summary>Returns the growth over the second half: the first readings still fill the history of five minutes.</summary>
    private static long Growth(long[] readings) => readings[^1] - readings[readings.Length / 2];

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
