using System.CommandLine;
using System.Globalization;
using Demo;

var seconds = new Option<int?>("--seconds") { Description = "Ends by itself after this many seconds. Without it, Ctrl-C ends the demo.", HelpName = "N" };
var drill = new Option<bool>("--drill") { Description = "Kills the background replica a third of the way in, and starts it again at two thirds." };
var json = new Option<bool>("--json") { Description = "Prints the figures as one JSON object, the last line of the standard output. All else goes to the standard error." };
seconds.Validators.Add(result =>
{
    if (result.Tokens is not [var token] || !int.TryParse(token.Value, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 86_400)
        result.AddError("--seconds takes a whole number from 1 to 86400.");
});

var command = new RootCommand("A PostgreSQL cluster of four servers, an accounting application, and its traffic through the router.") { seconds, drill, json };
command.SetAction((parsed, cancellationToken) =>
    DemoRun.RunAsync(new DemoOptions(parsed.GetValue(seconds), parsed.GetValue(drill), parsed.GetValue(json)), TimeProvider.System));

// The demo handles Ctrl-C itself: it takes longer than a library would wait to stop four servers.
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
