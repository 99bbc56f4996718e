using System.CommandLine;
using Jobs;
using Jobs.Acceptance;

var system = new Argument<JobSystem>("system") { Description = "The library that runs the jobs." };
var jobs = new Option<int>("--jobs") { Description = "The number of orders.", DefaultValueFactory = _ => 1000, HelpName = "N" };
var withoutTokens = new Option<bool>("--without-tokens") { Description = "Runs jobs without session tokens, so they miss orders that their replica does not have yet." };
var failover = new Option<bool>("--failover") { Description = "Kills the primary halfway, and promotes a replica." };

var command = new RootCommand("Places orders whose receipts are created by jobs, on a PostgreSQL cluster with replicas 200 ms behind.") { system, jobs, withoutTokens, failover };
command.SetAction(async (parsed, ct) =>
{
    var report = await JobRun.RunAsync(new JobRunOptions
    {
        System = parsed.GetValue(system),
        Jobs = parsed.GetValue(jobs),
        WithTokens = !parsed.GetValue(withoutTokens),
        WithFailover = parsed.GetValue(failover),
    }, ct);
    Console.WriteLine($"{parsed.GetValue(system)}: {report}");
});
return await command.Parse(args).InvokeAsync();
