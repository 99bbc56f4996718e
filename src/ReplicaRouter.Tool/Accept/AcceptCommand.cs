using System.CommandLine;
using System.Globalization;
using ReplicaRouter.Tool.CommandLine;
using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Accept;

/// <summary><c>accept</c>: makes what one host shows the cluster's identity and timeline, in a running application.</summary>
internal static class AcceptCommand
{
    public static Command Create()
    {
        var host = new Argument<string>("host") { Description = "The host's name in the application." };
        var app = new Option<string?>("--app")
        {
            Description = "The address of the application's dashboard, as https://shop.internal/replica-router. A user and password in it, percent-encoded, are sent as Basic authentication; "
                + $"without them a bearer token is taken from the variable {RunningApplication.TokenVariable}.",
            HelpName = "URL",
        };
        app.Validators.Add(result =>
        {
            if (result.Tokens is not [var token] || !RunningApplication.IsAddress(token.Value))
                result.AddError("--app takes the address of a dashboard, as https://shop.internal/replica-router. Percent-encode a user and password in it.");
        });
        var yes = new Option<bool>("--yes") { Description = "Does not ask." };
        var command = new Command("accept", "Has a running application take what a host shows, its system identifier and timeline, for the cluster's. Each process is ordered by itself.") { host, app, yes };
        var target = TargetOptions.AddTo(command);
        command.SetWork(async (parsed, screen, ct) => parsed.GetValue(app) is { } address
            ? await OrderAsync(new Uri(address), parsed.GetValue(host)!, parsed.GetValue(yes), screen, ct)
            : await ExplainAsync(await target.ReadAsync(parsed, ct), parsed.GetValue(host)!, screen, ct));
        return command;
    }

    private static async Task<int> OrderAsync(Uri address, string host, bool isSure, Screen screen, CancellationToken ct)
    {
        using var application = new RunningApplication(address);
        var preview = await application.PreviewAsync(host, ct);
        Show(screen, preview.Accepted, preview.Former, preview.GivenUp);
        if (!isSure && !Confirmed(screen, host)) return ExitCode.Warning;
        await application.AcceptAsync(host, preview, ct);
        screen.WriteLine("Accepted, by this process of the application, until that process ends. Repeat this for every other process.");
        if (preview.GivenUp.Length > 0) screen.WriteLine("Before the next start, stop or rebuild the servers that are given up: a process that starts follows them again.");
        return ExitCode.Ok;
    }

    private static async Task<int> ExplainAsync(Target cluster, string host, Screen screen, CancellationToken ct)
    {
        await using var watch = await ClusterWatch.StartAsync(cluster, TimeProvider.System, ct);
        var acceptance = watch.Router.PreviewAccept(host);
        Show(screen,
            string.Create(CultureInfo.InvariantCulture, $"{acceptance.Host} shows system identifier {acceptance.SystemIdentifier}, timeline {acceptance.Timeline}."),
            string.Create(CultureInfo.InvariantCulture,
                $"A process that starts now takes system identifier {acceptance.FormerSystemIdentifier}, timeline {acceptance.FormerTimeline} for the cluster's, and {acceptance.FormerPrimary ?? "no host"} for the primary."),
            acceptance.GivenUp);
        screen.Say("Nothing was ordered: give the address of an application's dashboard with --app. Each process is ordered by itself.");
        return ExitCode.Ok;
    }

    private static void Show(Screen screen, string accepted, string former, IReadOnlyCollection<string> givenUp)
    {
        screen.WriteLine(accepted);
        screen.WriteLine(former);
        screen.WriteLine(givenUp.Count == 0 ? "Nothing would be given up." : "Given up with it:");
        foreach (var sentence in givenUp) screen.WriteLine($"  {sentence}");
    }

    private static bool Confirmed(Screen screen, string host)
    {
        if (Console.IsInputRedirected && !screen.IsTerminal) throw new ToolException("Give --yes: there is no terminal to ask at.");
        screen.Say($"Accept {host}? [y/N]");
        return Console.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }
}
