using System.CommandLine;
using System.Globalization;
using Demo;

var seconds = new Option<int?>("--seconds") { Description = "Ends the demo after this many seconds. Default: it runs until Ctrl-C.", HelpName = "N" };
var drill = new Option<bool>("--drill") { Description = "Kills the background replica a third of the way in, and restarts it two thirds of the way in." };
var json = new Option<bool>("--json") { Description = "Prints the figures as one JSON object, on the last line of standard output. Everything else goes to standard error." };
seconds.Validators.Add(result =>
{
    if (result.Tokens is not [var token] || !int.TryParse(token.Value, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 86_400)
        result.AddError("--seconds takes a whole number from 1 to 86400.");
});

var command = new RootCommand("Runs a PostgreSQL cluster of four servers and an accounting application with traffic through the router.") { seconds, drill, json };
command.SetAction((parsed, cancellationToken) =>
    DemoRun.RunAsync(new DemoOptions(parsed.GetValue(seconds), parsed.GetValue(drill), parsed.GetValue(json)), TimeProvider.System));

// The demo handles Ctrl-C itself: stopping four servers takes longer than the library waits.
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
