using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using ReplicaRouter.Testing;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Clusters;

/// <summary><c>cluster kill|start|pause|resume|promote|lag</c>: faults and changes of one server of a local cluster. <c>watch</c> shows the effect.</summary>
internal static partial class ServerCommands
{
    public static IEnumerable<Command> All() =>
    [
        Of("kill", "Kills a server (SIGKILL), like a crash.", KillAsync),
        Of("start", "Starts a stopped server in the role that it had.", StartAsync),
        Of("pause", "Freezes a server (SIGSTOP): it accepts connections but does not answer.", PauseAsync),
        Of("resume", "Resumes a frozen server (SIGCONT).", ResumeAsync),
        Of("promote", "Promotes a replica to primary. The other replicas follow it; a running former primary is not stopped.", PromoteAsync),
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
        var delay = new Argument<string>("delay") { Description = "The replay delay of each commit, such as 500ms, 10s or 2min; 0 removes it.", HelpName = "DELAY" };
        var command = new Command("lag", "Delays a replica's replay (recovery_min_apply_delay).");
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
            ? $"{server.Name} was killed. Routers have no primary: writes wait, and replicas still serve reads. 'cluster promote SERVER' makes a replica the primary, 'cluster start {server.Name}' brings this one back."
            : $"{server.Name} was killed. Routers see it as Down and send its reads elsewhere. 'cluster start {server.Name}' brings it back.";
    }

    private static async Task<string> StartAsync(LocalCluster cluster, LocalServer server, CancellationToken ct)
    {
        if (server.IsRunning) throw new ToolException($"{server.Name} is already running.");
        await server.StartAsync(ct);
        if (server == cluster.Primary) return $"{server.Name} is running as the primary. Routers send it writes as soon as they see it.";
        return await DevelopmentCluster.IsStandbyAsync(server, ct)
            ? $"{server.Name} is running as a replica. Routers ramp up its traffic gradually."
            : $"{server.Name} is running as the primary of an old timeline. Routers see it as Fenced and send it nothing. Kill it again; 'cluster up' then brings it back as a replica.";
    }

    private static Task<string> PauseAsync(LocalCluster cluster, LocalServer server, CancellationToken ct)
    {
        CheckRuns(server);
        server.Suspend();
        return Task.FromResult($"{server.Name} is frozen. Routers see its silence and mark it Hung; reads in progress move to other hosts. 'cluster resume {server.Name}' resumes it.");
    }

    private static Task<string> ResumeAsync(LocalCluster cluster, LocalServer server, CancellationToken ct)
    {
        CheckRuns(server);
        server.Resume();
        return Task.FromResult($"{server.Name} is resumed. Routers send it traffic again once it has answered twice.");
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
        if (server == cluster.Primary) throw new ToolException($"{server.Name} is the primary, which replays nothing. Name a replica.");
        await server.SetApplyDelayAsync(delay, ct);
        return delay == TimeSpan.Zero
            ? $"{server.Name} replays without delay again."
            : string.Create(CultureInfo.InvariantCulture, $"{server.Name} replays each commit when it is {delay.TotalSeconds:0.###} s old. While there are writes, routers see it lag; beyond a route's MaxLag (5 s by default) it serves that route no reads. 'cluster lag {server.Name} 0' removes the delay.");
    }

    private static void CheckRuns(LocalServer server)
    {
        if (!server.IsRunning) throw new ToolException($"{server.Name} is not running. 'cluster start {server.Name}' starts it.");
    }

    /// <exception cref="ToolException">The text is not a valid delay.</exception>
    internal static TimeSpan DelayOf(string text)
    {
        var match = Delay().Match(text);
        if (!match.Success) throw new ToolException("Write a delay as 500ms, 10s or 2min, at most 1440min; 0 removes it.");
        var number = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        var delay = match.Groups[2].Value switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "min" => TimeSpan.FromMinutes(number),
            _ => TimeSpan.FromSeconds(number),
        };
        return delay <= TimeSpan.FromDays(1) ? delay : throw new ToolException("A delay can be at most a day (1440min).");
    }

    [GeneratedRegex("^([0-9]{1,8})(ms|s|min)?$")]
    private static partial Regex Delay();
}
