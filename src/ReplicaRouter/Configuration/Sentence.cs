namespace ReplicaRouter;

/// <summary>The grammar of messages.</summary>
internal static class Sentence
{
    /// <summary>Joins words as a sentence does: <c>a</c>, <c>a and b</c>, <c>a, b and c</c>.</summary>
    public static string And(IReadOnlyList<string> words) => words.Count < 2 ? string.Concat(words) : $"{string.Join(", ", words.Take(words.Count - 1))} and {words[words.Count - 1]}";
}
