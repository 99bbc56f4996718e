namespace ReplicaRouter;

/// <summary>Reads a <c>.env</c> file: <c>NAME=value</c> a line, with comments, quotes and an optional <c>export</c>.</summary>
internal static class DotEnvFile
{
    /// <returns>The variables by name; empty when there is no such file.</returns>
    /// <exception cref="RouterConfigurationException">A line is no assignment. The message names the line, never its text.</exception>
    public static IReadOnlyDictionary<string, string> Read(string path)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!File.Exists(path)) return variables;

        var number = 0;
        foreach (var raw in File.ReadLines(path))
        {
            number++;
            var line = raw.Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            if (line.StartsWith("export ", StringComparison.Ordinal)) line = line[7..].TrimStart();

            var equals = line.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? "" : line[..equals].TrimEnd();
            if (name.Length == 0 || name.Any(char.IsWhiteSpace) || !TryUnquote(line[(equals + 1)..].Trim(), out var value))
            {
                throw new RouterConfigurationException([$"{Path.GetFileName(path)}, line {number}: not an assignment. Write NAME=value or NAME=\"value\"."]);
            }

            variables[name] = value;
        }

        return variables;
    }

    private static bool TryUnquote(string text, out string value)
    {
        value = text;
        if (text.Length == 0) return true;
        if (text[0] is not ('"' or '\''))
        {
            // A # starts a comment only after white space: unquoted, it is a legal part of a value.
            var comment = text.IndexOf(" #", StringComparison.Ordinal);
            if (comment >= 0) value = text[..comment].TrimEnd();
            return true;
        }

        var end = text.IndexOf(text[0], 1);
        if (end < 0) return false;
        value = text[1..end];
        var rest = text[(end + 1)..].TrimStart();
        return rest.Length == 0 || rest[0] == '#';
    }
}
