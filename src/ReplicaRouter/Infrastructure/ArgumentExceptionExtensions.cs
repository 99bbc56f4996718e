namespace ReplicaRouter.Infrastructure;

/// <summary>Messages of argument exceptions for people who did not call the method.</summary>
internal static class ArgumentExceptionExtensions
{
    /// <summary>Returns the message without the parameter's name, which .NET appends.</summary>
    public static string MessageWithoutParameter(this ArgumentException exception) =>
        exception.ParamName is { } name ? exception.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : exception.Message;
}
