namespace ReplicaRouter.Tool.CommandLine;

/// <summary>Error messages for an invalid command line. The library quotes the argument, which can be a URL with a password.</summary>
internal static class CommandLineErrors
{
    /// <summary>Returns the message with <c>...</c> in place of arguments, and parts of <c>--name=value</c>, that are not plain words.</summary>
    public static string WithoutSecrets(string message, IEnumerable<string> arguments) => arguments
        .SelectMany(argument => argument.Split('=', 2).Prepend(argument))
        .Where(part => !part.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        .OrderByDescending(part => part.Length)
        .Aggregate(message, (text, part) => text.Replace(part, "...", StringComparison.Ordinal));
}
