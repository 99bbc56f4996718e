using System.CommandLine;
using System.Globalization;
using ReplicaRouter.Tool.CommandLine;
using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Accept;

/// <summary><c>accept</c>: orders a running application to accept a host's system identifier and timeline as the cluster's.</summary>
internal static class AcceptCommand
{
    public static Command Create()
    {
        var host = new Argument<string>("host") { Description = "The host's name in the application." };
        var app = new Option<string?>("--app")
        {
            Description = "The address of the application's dashboard, such as https://shop.internal/replica-router. A percent-encoded user and password in it are sent as Basic authentication; "
                + $"without them, a bearer token is read from the variable {RunningApplication.TokenVariable}.",
            HelpName = "URL",
        };
        app.Validators.Add(result =>
        {
            if (result.Tokens is not [var token] || !RunningApplication.IsAddress(token.Value))
                result.AddError("--app takes the address of a dashboard, such as https://shop.internal/replica-router. Percent-encode a user and password in it.");
        });
        var yes = new Option<bool>("--yes") { Description = "Skips the confirmation." };
        var command = new Command("accept", "Orders a running application to accept a host's system identifier and timeline as the cluster's. Each process needs its own order.") { host, app, yes };
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
        screen.WriteLine("Accepted by this process of the application, until that process ends. Repeat this for every other process.");
        if (preview.GivenUp.Length > 0) screen.WriteLine("Before any process starts, stop or rebuild the abandoned servers: a new process would follow them again.");
        return ExitCode.Ok;
    }

    private static async Task<int> ExplainAsync(Target cluster, string host, Screen screen, CancellationToken ct)
    {
        await using var watch = await ClusterWatch.StartAsync(cluster, TimeProvider.System, ct);
        var acceptance = watch.Router.PreviewAccept(host);
        Show(screen,
            string.Create(CultureInfo.InvariantCulture, $"{acceptance.Host} has system identifier {acceptance.SystemIdentifier}, timeline {acceptance.Timeline}."),
            string.Create(CultureInfo.InvariantCulture,
                $"A process that starts now accepts system identifier {acceptance.FormerSystemIdentifier}, timeline {acceptance.FormerTimeline} as the cluster's, and {acceptance.FormerPrimary ?? "no host"} as the primary."),
            acceptance.GivenUp);
        screen.Say("Nothing was changed. To accept the host, give the address of an application's dashboard with --app. Each process needs its own order.");
        return ExitCode.Ok;
    }

    private static void Show(Screen screen, string accepted, string former, IReadOnlyCollection<string> givenUp)
    {
        screen.WriteLine(accepted);
        screen.WriteLine(former);
        screen.WriteLine(givenUp.Count == 0 ? "Nothing would be abandoned." : "This abandons:");
        foreach (var sentence in givenUp) screen.WriteLine($"  {sentence}");
    }

    private static bool Confirmed(Screen screen, string host)
    {
        if (Console.IsInputRedirected && !screen.IsTerminal) throw new ToolException("There is no terminal to confirm at. Give --yes to skip the confirmation.");
        screen.Say($"Accept {host}? [y/N]");
        return Console.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }
}
