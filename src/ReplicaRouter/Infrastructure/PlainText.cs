using System.Globalization;

namespace ReplicaRouter.Infrastructure;

/// <summary>Makes a text from outside fit to be logged or shown: one line, of bounded length, without anything that a terminal or a reader would take for something else.</summary>
internal static class PlainText
{
    /// <summary>Characters of an error's text that are kept.</summary>
    public const int Longest = 500;

    /// <summary>Replaces control, formatting and separating characters by a blank, and cuts what is too long.</summary>
    public static string Of(string text, int longest = Longest)
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
