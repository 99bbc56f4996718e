using System.CommandLine;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Dashboard;

/// <summary>What the open page costs an application under load, and whether anything of it is left in memory on either side.</summary>
internal static class DashboardCommand
{
    private const int Readings = 8;
    private const double MostCpu = 0.01;

    public static Command Create()
    {
        var seconds = new Option<int>("--seconds") { Description = "A quarter without the page, half with it, a quarter without it.", DefaultValueFactory = _ => 600 };
        var command = new Command("dashboard", "Opens the dashboard on an application under load, and prints what it costs in CPU and memory, on both sides.") { seconds };
        command.SetAction((parsed, ct) => RunAsync(TimeSpan.FromSeconds(Math.Max(32, parsed.GetValue(seconds))), ct));
        return command;
    }

    private static async Task<int> RunAsync(TimeSpan time, CancellationToken ct)
    {
        await using var cluster = await LocalCluster.StartAsync(ct: ct);
        await using var app = Build(cluster);
        await app.StartAsync(ct);
        var router = app.Services.GetRequiredService<DatabaseRouter>();
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), ct);
        await using var load = new PacedLoad(router);
        await using var browser = await PageMemory.LaunchAsync();
        // Pools, caches and compiled code are not the page's.
        await Task.Delay(TimeSpan.FromSeconds(8), ct);

        var before = await MeasureAsync(load, time / 4, null, ct);
        await browser.OpenAsync(new Uri(app.Urls.First() + "/replica-router/"));
        var open = await MeasureAsync(load, time / 2, browser, ct);
        await browser.CloseAsync();
        var after = await MeasureAsync(load, time / 4, null, ct);

        var closed = (before.Cpu + after.Cpu) / 2;
        var appGrowth = Growth([.. open.Memory.Select(reading => reading.App)]);
        var pageGrowth = Growth([.. open.Memory.Select(reading => reading.Page)]);
        Print($"CPU of one core: {closed:0.00 %} closed ({before.Cpu:0.00 %} before, {after.Cpu:0.00 %} after), {open.Cpu:0.00 %} open: {open.Cpu - closed:+0.00 %;-0.00 %} at {open.Rate:0} operations/s");
        Print($"CPU of the page's main thread: {open.PageCpu:0.00 %}");
        Print($"Memory over the second half: application {appGrowth / 1e3:+0;-0} kB, page {pageGrowth / 1e3:+0;-0} kB");
        var holds = open.Cpu - closed < MostCpu && appGrowth < 500_000 && pageGrowth < 500_000;
        Print($"{(holds ? "holds" : "DOES NOT HOLD")}: less than {MostCpu:0 %} CPU, no growing memory");
        return holds ? 0 : 1;
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

    private static async Task<Period> MeasureAsync(PacedLoad load, TimeSpan time, PageMemory? page, CancellationToken ct)
    {
        var (start, cpu, done) = (TimeProvider.System.GetTimestamp(), Environment.CpuUsage.TotalTime, load.Done);
        var pageStart = page is null ? 0 : await page.BusySecondsAsync();
        var memory = new List<(long App, long Page)>();
        for (var reading = 1; reading <= Readings; reading++)
        {
            await Task.Delay(time / Readings, ct);
            // Also while the page is closed, so that what it costs is the same in all periods.
            memory.Add((GC.GetTotalMemory(forceFullCollection: true), page is null ? 0 : await page.UsedAsync()));
            if (page is not null) Print($"{time.TotalSeconds * reading / Readings,5:0} s: application {memory[^1].App / 1e6:0.00} MB, page {memory[^1].Page / 1e6:0.00} MB in use");
        }

        var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        return new Period(
            (Environment.CpuUsage.TotalTime - cpu).TotalSeconds / seconds,
            (load.Done - done) / seconds,
            page is null ? 0 : (await page.BusySecondsAsync() - pageStart) / seconds,
            memory);
    }

    /// <summary>From the middle on: the first readings still fill the history of five minutes.</summary>
    private static long Growth(long[] readings) => readings[^1] - readings[readings.Length / 2];

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private sealed record Period(double Cpu, double Rate, double PageCpu, List<(long App, long Page)> Memory);
}
