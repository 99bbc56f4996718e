namespace ReplicaRouter.Infrastructure;

/// <summary>User-defined names of hosts, groups and routes, which are shown everywhere.</summary>
internal static class Identifier
{
    public const string Rule = "Write 1 to 63 letters, digits, spaces, or one of - _ .";

    /// <summary>Whether a text is a name, and can't be part of a connection string.</summary>
    public static bool Is(string text) => text.Length is >= 1 and <= 63 && text.All(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_' or '.');
}
