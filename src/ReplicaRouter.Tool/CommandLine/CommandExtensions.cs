using System.CommandLine;

namespace ReplicaRouter.Tool.CommandLine;

/// <summary>What all commands share: options, and how they fail.</summary>
internal static class CommandExtensions
{
    /// <summary>Runs a command; whatever goes wrong becomes a message on the standard error and an exit code.</summary>
    public static void SetWork(this Command command, Func<ParseResult, Screen, CancellationToken, Task<int>> work) =>
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var screen = new Screen(parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            try
            {
                return await work(parsed, screen, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return ExitCode.Stopped;
            }
            catch (Exception e)
            {
                screen.Say(e is ArgumentException argument ? argument.MessageWithoutParameter() : e.Message);
                return ExitCode.Failure;
            }
        });

    /// <summary>Adds the option <c>--json</c>.</summary>
    public static Option<bool> AddJson(this Command command, string description = "Prints one JSON object instead.")
    {
        var json = new Option<bool>("--json") { Description = description };
        command.Options.Add(json);
        return json;
    }

    /// <summary>Adds an option that takes a whole number.</summary>
    public static Option<int> AddNumber(this Command command, string name, string description, int usual, int least, int most)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => usual, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, out var number) || number < least || number > most))
                result.AddError($"{name} takes a whole number from {least} to {most}.");
        });
        command.Options.Add(option);
        return option;
    }
}
