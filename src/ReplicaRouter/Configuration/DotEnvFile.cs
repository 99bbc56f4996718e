using System.Text;

namespace ReplicaRouter;

/// <summary>Reads a <c>.env</c> file: <c>NAME=value</c> a line, with comments, quotes and an optional <c>export</c>.</summary>
internal static class DotEnvFile
{
    private const int MostBytes = 1024 * 1024;
    private static readonly TimeSpan LongestRead = TimeSpan.FromSeconds(5);

    /// <returns>The variables by name; empty when there is no such file.</returns>
    /// <exception cref="DatabaseRouterConfigurationException">The file can't be read, or lines of it are no assignments. The message names the lines, never their text.</exception>
    public static IReadOnlyDictionary<string, string> Read(string path) => Read(path, LongestRead);

    /// <inheritdoc cref="Read(string)"/>
    /// <param name="path">The file.</param>
    /// <param name="limit">Longest time to wait for its content.</param>
    internal static IReadOnlyDictionary<string, string> Read(string path, TimeSpan limit)
    {
        var name = Path.GetFileName(path);
        if (!File.Exists(path)) return new Dictionary<string, string>();
        try
        {
            return Parse(Text(ReadBytes(path, limit)), name);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or DecoderFallbackException)
        {
            throw Fault(name, e switch
            {
                InvalidDataException => $"holds more than {MostBytes / 1024} KiB",
                DecoderFallbackException => "is no UTF-8 text",
                UnauthorizedAccessException => "may not be read by this process",
                _ => "can't be read",
            });
        }
        catch (TimeoutException)
        {
            throw Fault(name, $"did not give its content within {limit.TotalSeconds:0.#} s: it may be a named pipe to which no process writes");
        }
    }

    /// <summary>On a thread of its own: opening a named pipe waits for its writer, and can't be cancelled. Some secret stores do serve such a file by a pipe.</summary>
    private static byte[] ReadBytes(string path, TimeSpan limit)
    {
        var content = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
                var bytes = new byte[MostBytes + 1];
                var count = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
                if (count > MostBytes) throw new InvalidDataException();
                content.SetResult(bytes[..count]);
            }
            catch (Exception e)
            {
                content.SetException(e);
            }
        })
        { IsBackground = true, Name = "ReplicaRouter .env" }.Start();
        return content.Task.WaitAsync(limit).GetAwaiter().GetResult();
    }

    /// <exception cref="DecoderFallbackException">It is no text; a password that is read with replacement characters would be another one.</exception>
    private static string Text(byte[] bytes)
    {
        using var reader = new StreamReader(new MemoryStream(bytes), new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: true);
        return reader.ReadToEnd();
    }

    /// <param name="text">The file's text.</param>
    /// <param name="file">Its name, for messages.</param>
    internal static IReadOnlyDictionary<string, string> Parse(string text, string file)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        var faults = new List<string>();
        foreach (var (index, raw) in text.ReplaceLineEndings("\n").Split('\n').Index())
        {
            var line = raw.Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            if (line.StartsWith("export ", StringComparison.Ordinal)) line = line[7..].TrimStart();

            var equals = line.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? "" : line[..equals].TrimEnd();
            if (IsName(name) && TryUnquote(line[(equals + 1)..].Trim(), out var value)) variables[name] = value;
            else faults.Add($"{file}, line {index + 1}: not an assignment. Write NAME=value or NAME=\"value\".");
        }

        return faults.Count == 0 ? variables : throw new DatabaseRouterConfigurationException(faults);
    }

    /// <summary>A pasted URL has an = somewhere, too, and what stands before that is no name.</summary>
    private static bool IsName(string name) => name.Length > 0 && name.All(c => char.IsLetterOrDigit(c) || c is '_' or '.' or '-' or ':');

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

    private static DatabaseRouterConfigurationException Fault(string file, string problem) => new([$"{file} {problem}. Set the variables themselves, or put an ordinary text file there."]);
}
