using System.CommandLine;

namespace ReplicaRouter.Tool.CommandLine;

/// <summary>Options and error handling that all commands share.</summary>
internal static class CommandExtensions
{
    /// <summary>Runs a command. An error becomes a message on standard error and an exit code.</summary>
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

    public static Option<bool> AddJson(this Command command, string description = "Prints one JSON object instead.")
    {
        var json = new Option<bool>("--json") { Description = description };
        command.Options.Add(json);
        return json;
    }

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
