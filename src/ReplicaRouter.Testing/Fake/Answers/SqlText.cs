namespace ReplicaRouter.Testing.Fake;

/// <summary>Parses just enough SQL to separate statements, and the columns of a SELECT.</summary>
internal static class SqlText
{
    private const char Hidden = '\u0001';

    /// <summary>Returns the statements of a simple query, trimmed.</summary>
    public static IReadOnlyList<string> Statements(string sql) => [.. Split(sql, ';').Where(statement => statement.Length > 0)];

    /// <summary>Returns the columns of a SELECT without FROM; none for other statements.</summary>
    public static IReadOnlyList<string> Columns(string sql)
    {
        if (FirstWord(sql) != "SELECT" || Shown(sql).Contains(" FROM ", StringComparison.OrdinalIgnoreCase)) return [];
        var start = sql.IndexOf("SELECT", StringComparison.OrdinalIgnoreCase) + "SELECT".Length;
        return Split(sql[start..], ',');
    }

    /// <summary>Returns the first word, in upper case.</summary>
    public static string FirstWord(string sql)
    {
        var shown = Shown(sql).AsSpan().Trim();
        var length = shown.IndexOfAnyExceptInRange('A', 'z');
        return shown[..(length < 0 ? shown.Length : length)].ToString().ToUpperInvariant();
    }

    /// <summary>Returns the SQL with each run of white space replaced by one space.</summary>
    public static string OnOneLine(string sql) => string.Join(' ', sql.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static List<string> Split(string sql, char separator)
    {
        var shown = Shown(sql);
        var (parts, start) = (new List<string>(), 0);
        for (var end = shown.IndexOf(separator); end >= 0; end = shown.IndexOf(separator, start))
        {
            parts.Add(sql[start..end].Trim());
            start = end + 1;
        }

        parts.Add(sql[start..].Trim());
        return parts;
    }

    /// <summary>Returns a text of the same length with the contents of parentheses, quotes and comments masked. All white space becomes spaces.</summary>
    private static string Shown(string sql)
    {
        var (shown, depth) = (sql.ToCharArray(), 0);
        for (var i = 0; i < sql.Length; i++)
        {
            var end = EndOfHidden(sql, i);
            if (end > i)
            {
                shown.AsSpan(i, end - i).Fill(sql[i] is '-' or '/' ? ' ' : Hidden);
                i = end - 1;
                continue;
            }

            if (sql[i] == ')') depth--;
            if (depth > 0) shown[i] = Hidden;
            else if (char.IsWhiteSpace(sql[i])) shown[i] = ' ';
            if (sql[i] == '(') depth++;
        }

        return new string(shown);
    }

    /// <summary>Returns the end of the quoted text or comment that begins at an index; the same index if none begins there.</summary>
    private static int EndOfHidden(string sql, int start) => sql[start] switch
    {
        '\'' or '"' => After(sql, sql[start].ToString(), start + 1),
        '-' when sql.AsSpan(start).StartsWith("--") => After(sql, "\n", start),
        '/' when sql.AsSpan(start).StartsWith("/*") => After(sql, "*/", start + 2),
        '$' when sql.IndexOf('$', start + 1) is var end and > 0 && sql.AsSpan((start + 1)..end).IndexOfAnyExcept(s_tag) < 0 => After(sql, sql[start..(end + 1)], end + 1),
        _ => start,
    };

    private static readonly System.Buffers.SearchValues<char> s_tag =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_");

    private static int After(string sql, string end, int from) => sql.IndexOf(end, from, StringComparison.Ordinal) is var found and >= 0 ? found + end.Length : sql.Length;
}
