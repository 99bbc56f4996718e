using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;
using ReplicaRouter.Benchmarks.Dashboard;
using ReplicaRouter.Benchmarks.Faults;
using ReplicaRouter.Benchmarks.Sessions;

var root = new RootCommand("Measures the router beside its peers. Without a command, or with BenchmarkDotNet's own options, runs the micro-benchmarks.")
{
    ChaosCommand.Create(),
    ConsistencyCommand.Create(),
    DashboardCommand.Create(),
    FaultsCommand.Create(),
    SessionCost.Command(),
    SoakCommand.Create(),
};
if (args is [var first, ..] && (first is "--help" or "-h" || root.Subcommands.Any(command => command.Name == first)))
{
    return await root.Parse(args).InvokeAsync();
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, DefaultConfig.Instance
    .WithOptions(ConfigOptions.JoinSummary | ConfigOptions.DisableLogFile)
    .WithArtifactsPath(Path.Combine(Environment.CurrentDirectory, "artifacts", "bench")));
return 0;
