using System.Globalization;

namespace ReplicaRouter.Infrastructure;

/// <summary>Makes text from outside safe to log and show: one line of bounded length, without characters that control a terminal or mislead a reader.</summary>
internal static class PlainText
{
    /// <summary>Replaces control, format and separator characters with spaces, and truncates the text to a number of characters.</summary>
    public static string Of(string text, int longest = 500)
    {
        var kept = text.Length > longest ? text[..longest] + " ..." : text;
        return kept.All(IsPlain) ? kept : string.Concat(kept.Select(character => IsPlain(character) ? character : ' '));
    }

    /// <summary>Whether a name or a label can be used as it is.</summary>
    public static bool IsPlain(string text, int longest) => text.Length > 0 && text.Length <= longest && text.All(IsPlain);

    private static bool IsPlain(char character) => CharUnicodeInfo.GetUnicodeCategory(character) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse);
}
