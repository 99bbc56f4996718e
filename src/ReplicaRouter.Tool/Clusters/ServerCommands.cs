using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using ReplicaRouter.Testing;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Clusters;

/// <summary><c>cluster kill|start|pause|resume|promote|lag</c>: what can happen to one server of a local cluster, to be seen in <c>watch</c>.</summary>
internal static partial class ServerCommands
{
    public static IEnumerable<Command> All() =>
    [
        Of("kill", "Kills a server (SIGKILL), as a crash does.", KillAsync),
        Of("start", "Starts a server as it was.", StartAsync),
        Of("pause", "Freezes a server (SIGSTOP): it accepts connections, and answers nothing.", PauseAsync),
        Of("resume", "Has a frozen server go on (SIGCONT).", ResumeAsync),
        Of("promote", "Makes a replica the primary. The other replicas follow it; the former primary, if it runs, is not stopped.", PromoteAsync),
        Lag(),
    ];

    private static Command Of(string verb, string description, Func<LocalCluster, LocalServer, CancellationToken, Task<string>> work)
    {
        var command = new Command(verb, description);
        SetWork(command, (_, cluster, server, ct) => work(cluster, server, ct));
        return command;
    }

    private static Command Lag()
    {
        var delay = new Argument<string>("delay") { Description = "How late it replays each commit, as 500ms, 10s or 2min; 0 ends it.", HelpName = "DELAY" };
        var command = new Command("lag", "Has a replica replay late (recovery_min_apply_delay).");
        SetWork(command, (parsed, cluster, server, ct) => LagAsync(cluster, server, DelayOf(parsed.GetValue(delay)!), ct));
        command.Arguments.Add(delay);
        return command;
    }

    private static void SetWork(Command command, Func<ParseResult, LocalCluster, LocalServer, CancellationToken, Task<string>> work)
    {
        var server = new Argument<string>("server") { Description = "The server's name, as 'cluster status' shows it.", HelpName = "SERVER" };
        var (name, directory) = (ClusterFolders.NameOption(), ClusterFolders.Option());
        command.Arguments.Add(server);
        command.Options.Add(name);
        command.Options.Add(directory);
        command.SetWork(async (parsed, screen, ct) =>
        {
            await using var cluster = await new ClusterFolders(parsed.GetValue(directory)).OpenAsync(parsed.GetValue(name)!, ct);
            screen.Say(await work(parsed, cluster, cluster[parsed.GetValue(server)!], ct));
            return ExitCode.Ok;
        });
    }

    private static async Task<string> KillAsync(LocalCluster cluster, LocalServer server, CancellationToken ct)
    {
        CheckRuns(server);
        await server.KillAsync(ct);
        return server == cluster.Primary
            ? $"{server.Name} is killed. Routers have no primary: writes wait, reads go on at the replicas. 'cluster promote SERVER' makes a replica the primary, 'cluster start {server.Name}' brings this one back."
            : $"{server.Name} is killed. Routers see it as Down, and its reads go elsewhere. 'cluster start {server.Name}' brings it back.";
    }

    private static async Task<string> StartAsync(LocalCluster cluster, LocalServer server, CancellationToken ct)
    {
        if (server.IsRunning) throw new ToolException($"{server.Name} runs already.");
        await server.StartAsync(ct);
        if (server == cluster.Primary) return $"{server.Name} runs, as the primary. Routers send it writes as soon as they see it.";
        return await DevelopmentCluster.IsStandbyAsync(server, ct)
            ? $"{server.Name} runs, as a replica. Routers give it work again little by little."
            : $"{server.Name} runs as the primary that it was, on a timeline that is over: routers see it as Fenced, and send it nothing. Kill it again, and 'cluster up' brings it back as a replica.";
    }

    private static Task<string> PauseAsync(LocalCluster cluster, LocalServer server, CancellationToken ct)
    {
        CheckRuns(server);
        server.Suspend();
        return Task.FromResult($"{server.Name} is frozen. Routers find out by its silence and see it as Hung; reads under way there are moved. 'cluster resume {server.Name}' has it go on.");
    }

    private static Task<string> ResumeAsync(LocalCluster cluster, LocalServer server, CancellationToken ct)
    {
        CheckRuns(server);
        server.Resume();
        return Task.FromResult($"{server.Name} goes on. Routers give it work again once it has answered twice.");
    }

    private static async Task<string> PromoteAsync(LocalCluster cluster, LocalServer server, CancellationToken ct)
    {
        CheckRuns(server);
        var former = cluster.Primary;
        await cluster.PromoteAsync(server.Name, cancellationToken: ct);
        return $"{server.Name} is the primary. Routers send their writes there"
            + (former.IsRunning ? $", and see {former.Name} as Fenced: it still takes writes, which are lost. Kill it." : ".")
            + (former.IsRunning ? " Then" : $" {former.Name} is down:") + " 'cluster up' brings it back as a replica.";
    }

    private static async Task<string> LagAsync(LocalCluster cluster, LocalServer server, TimeSpan delay, CancellationToken ct)
    {
        CheckRuns(server);
        if (server == cluster.Primary) throw new ToolException($"{server.Name} is the primary, which replays nothing: name a replica.");
        await server.SetApplyDelayAsync(delay, ct);
        return delay == TimeSpan.Zero
            ? $"{server.Name} replays at once again."
            : string.Create(CultureInfo.InvariantCulture, $"{server.Name} replays each commit when it is {delay.TotalSeconds:0.###} s old. While something is written, routers see it lag; beyond a route's MaxLag (5 s by default) it serves that route no reads. 'cluster lag {server.Name} 0' ends it.");
    }

    private static void CheckRuns(LocalServer server)
    {
        if (!server.IsRunning) throw new ToolException($"{server.Name} does not run. 'cluster start {server.Name}' starts it.");
    }

    /// <exception cref="ToolException">It is no such text.</exception>
    internal static TimeSpan DelayOf(string text)
    {
        var match = Delay().Match(text);
        if (!match.Success) throw new ToolException("A delay is written as 500ms, 10s or 2min, of at most 1440min; 0 ends it.");
        var number = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        var delay = match.Groups[2].Value switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "min" => TimeSpan.FromMinutes(number),
            _ => TimeSpan.FromSeconds(number),
        };
        return delay <= TimeSpan.FromDays(1) ? delay : throw new ToolException("A delay is at most a day (1440min).");
    }

    [GeneratedRegex("^([0-9]{1,8})(ms|s|min)?$")]
    private static partial Regex Delay();
}
