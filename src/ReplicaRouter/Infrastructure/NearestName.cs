namespace ReplicaRouter.Infrastructure;

/// <summary>Finds the known name nearest to a misspelt one, for suggestions in messages.</summary>
internal static class NearestName
{
    /// <summary>Longer texts are not names, and comparing them would be slow.</summary>
    private const int LongestName = 64;

    /// <returns>The known name that differs least, or <see langword="null"/> if more than a third of it differs.</returns>
    public static string? Of(string text, IEnumerable<string> known)
    {
        var letters = Letters(text);
        if (letters.Length is 0 or > LongestName) return null;
        var (name, distance) = known.Select(name => (name, Distance(letters, Letters(name)))).DefaultIfEmpty().MinBy(candidate => candidate.Item2);
        return name is not null && distance <= Letters(name).Length / 3 ? name : null;
    }

    /// <summary>Removes variations of spelling: spaces, underscores, hyphens and case.</summary>
    private static string Letters(string text) => string.Concat(text.Where(c => c is not (' ' or '_' or '-'))).ToUpperInvariant();

    /// <summary>Returns the number of letters to insert, delete, replace, or swap with their neighbour.</summary>
    /// <remarks>Source: F. Damerau, "A technique for computer detection and correction of spelling errors", 1964.</remarks>
    private static int Distance(string one, string other)
    {
        var steps = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++) steps[i, 0] = i;
        for (var j = 0; j <= other.Length; j++) steps[0, j] = j;
        for (var i = 1; i <= one.Length; i++)
        {
            for (var j = 1; j <= other.Length; j++)
            {
                var replaced = steps[i - 1, j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
                var least = Math.Min(replaced, Math.Min(steps[i - 1, j], steps[i, j - 1]) + 1);
                var isSwap = i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
                steps[i, j] = isSwap ? Math.Min(least, steps[i - 2, j - 2] + 1) : least;
            }
        }

        return steps[one.Length, other.Length];
    }
}
