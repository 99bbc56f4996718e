namespace ReplicaRouter.Infrastructure;

/// <summary>The text of an exception for people who did not call the method.</summary>
internal static class ArgumentExceptionExtensions
{
    /// <summary>The message without the name of the parameter, which .NET adds.</summary>
    public static string MessageWithoutParameter(this ArgumentException exception) =>
        exception.ParamName is { } name ? exception.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : exception.Message;
}
