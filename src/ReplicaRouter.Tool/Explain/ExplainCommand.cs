using System.CommandLine;
using System.Globalization;
using ReplicaRouter.Tool.CommandLine;
using ReplicaRouter.Tool.Inspection;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ReplicaRouter.Tool.Explain;

/// <summary><c>explain</c>: which host an operation would go to now, and why not the others.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var operation = new Argument<string>("operation") { Description = "write, transactional, read, analytics, background, or a route of ReplicaRouter__Routes." };
        var drained = new Option<string[]>("--drained") { Description = "Treats a host as drained; can be given repeatedly. Only an application's own router knows what it has drained.", HelpName = "HOST" };
        var maxLag = new Option<double?>("--max-lag") { Description = "Highest replication lag, in seconds. Default: the route's MaxLag.", HelpName = "SECONDS" };
        maxLag.Validators.Add(result =>
        {
            if (result.Tokens is not [var token] || !double.TryParse(token.Value, CultureInfo.InvariantCulture, out var seconds) || seconds is <= 0 or > 3600)
                result.AddError("--max-lag takes a number of seconds above 0, up to 3600.");
        });
        var command = new Command("explain", "Shows which host an operation would go to now, and why not the others. Exits with 1 when no host can serve it.") { operation, drained, maxLag };
        var target = TargetOptions.AddTo(command);
        var json = command.AddJson();
        command.SetWork(async (parsed, screen, ct) =>
        {
            var cluster = await target.ReadAsync(parsed, ct);
            await using var watch = await ClusterWatch.StartAsync(cluster, TimeProvider.System, ct);
            foreach (var host in parsed.GetValue(drained) ?? []) await watch.Router.DrainAsync(host, ct);
            var options = new OperationOptions { MaxLag = parsed.GetValue(maxLag) is { } seconds ? TimeSpan.FromSeconds(seconds) : null };
            var explanation = watch.Router.Engine.Explain(parsed.GetValue(operation)!, options);
            if (parsed.GetValue(json)) screen.WriteJson(explanation);
            else screen.Write(TableOf(explanation));
            return explanation.Chosen is null ? ExitCode.Warning : ExitCode.Ok;
        });
        return command;
    }

    private static Rows TableOf(RouteExplanation explanation)
    {
        var table = new Table().Border(TableBorder.Horizontal).AddColumns("host", "standing", "group", "why");
        foreach (var host in explanation.Hosts)
        {
            table.AddRow(
                new Text(host.Host), new Text(host.Standing.ToString().ToLowerInvariant(), new Style(ColorOf(host.Standing))), new Text(host.Group ?? "-"), new Text(host.Reason));
        }

        return new Rows(new Text(explanation.Chosen is { } chosen ? $"'{explanation.Route}' goes to {chosen}." : $"No host can serve '{explanation.Route}'."), table);
    }

    private static Color ColorOf(HostStanding standing) => standing switch
    {
        HostStanding.Chosen or HostStanding.Candidate => Color.Green,
        HostStanding.Rejected => Color.Red,
        _ => Color.Yellow,
    };
}
