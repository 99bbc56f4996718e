namespace ReplicaRouter.Tool.CommandLine;

/// <summary>What is said of a command line that can't be understood. The library quotes the argument, which may be a URL with a password.</summary>
internal static class CommandLineErrors
{
    /// <summary>The message without arguments, and parts of <c>--name=value</c>, that are anything but plain words.</summary>
    public static string WithoutSecrets(string message, IEnumerable<string> arguments) => arguments
        .SelectMany(argument => argument.Split('=', 2).Prepend(argument))
        .Where(part => !part.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        .OrderByDescending(part => part.Length)
        .Aggregate(message, (text, part) => text.Replace(part, "...", StringComparison.Ordinal));
}
