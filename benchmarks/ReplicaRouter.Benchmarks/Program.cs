using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;
using ReplicaRouter.Benchmarks;
using ReplicaRouter.Benchmarks.Dashboard;
using ReplicaRouter.Benchmarks.Databases;
using ReplicaRouter.Benchmarks.EfCore;
using ReplicaRouter.Benchmarks.Faults;
using ReplicaRouter.Benchmarks.Fleet;
using ReplicaRouter.Benchmarks.Micro;
using ReplicaRouter.Benchmarks.Overload;
using ReplicaRouter.Benchmarks.Reports;
using ReplicaRouter.Benchmarks.Sessions;
using ReplicaRouter.Benchmarks.Start;

using var together = CpuGroup.TryJoin($"replicarouter-{Environment.ProcessId}");

// "micro" and BenchmarkDotNet's own options, as in --filter '*GetClient*'.
if (args is ["micro" or "--filter" or "--list", ..])
{
    string[] given = args[0] == "micro" ? args[1..] : args;
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(given.Length == 0 ? ["--filter", "*"] : given, DefaultConfig.Instance
        .WithOptions(ConfigOptions.JoinSummary | ConfigOptions.DisableLogFile)
        .WithArtifactsPath(Path.Combine(Environment.CurrentDirectory, "artifacts", "bench")));
    return 0;
}

var root = new RootCommand("Compares the router with its peers: plain Npgsql, Npgsql multi-host, HAProxy, PgBouncer and pgpool-II.")
{
    ChaosCommand.Create(),
    ConsistencyCommand.Create(),
    DashboardCommand.Create(),
    DatabasesCommand.Create(),
    EfCoreCost.Command(),
    FaultsCommand.Create(),
    FirstReads.Command(),
    LostHistoryCommand.Create(),
    MicroProcesses.Once(),
    OverloadCommand.Create(),
    SessionCost.Command(),
    SimulateCommand.Create(),
    SoakCommand.Create(),
    StartCommand.Create(),
    new Command("micro", "Runs the micro-benchmarks with BenchmarkDotNet; takes its options."),
};
ComparisonCommand.AddTo(root);
return await root.Parse(args).InvokeAsync();
