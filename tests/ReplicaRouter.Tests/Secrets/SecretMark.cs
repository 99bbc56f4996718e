using System.Buffers;

namespace ReplicaRouter.Tests.Secrets;

/// <summary>A secret that can be recognized anywhere, in whole or in part: four of its characters in a row appear in no message by chance.</summary>
internal static class SecretMark
{
    private const int Least = 4;

    private static readonly string[] s_pieces = ["QZ7XJ4VK", "WQ9ZXKJ2", "VJ3QXZ8W"];

    private static readonly SearchValues<string> s_fragments =
        SearchValues.Create([.. s_pieces.SelectMany(piece => Enumerable.Range(0, piece.Length - Least + 1).Select(at => piece.Substring(at, Least)))], StringComparison.OrdinalIgnoreCase);

    public static string Piece(Random random) => s_pieces[random.Next(s_pieces.Length)];

    /// <summary>Whether a text contains a fragment of the mark, in any case, percent-encoded or not.</summary>
    public static bool IsIn(string? text) => text is not null
        && (text.AsSpan().ContainsAny(s_fragments) || (text.Contains('%', StringComparison.Ordinal) && Uri.UnescapeDataString(text).AsSpan().ContainsAny(s_fragments)));
}
