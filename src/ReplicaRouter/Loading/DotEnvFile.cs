using System.Text;
using System.Text.RegularExpressions;

namespace ReplicaRouter.Loading;

/// <summary>Reads a <c>.env</c> file: one <c>NAME=value</c> per line, with comments, quotes and an optional <c>export</c>.</summary>
internal static partial class DotEnvFile
{
    private const int MostBytes = 1024 * 1024;
    private static readonly TimeSpan LongestRead = TimeSpan.FromSeconds(5);

    /// <summary>Reads a file. Waits at most <paramref name="limit"/> for its content, 5 s by default.</summary>
    /// <returns>The variables by name; empty if the file does not exist.</returns>
    /// <exception cref="DatabaseRouterConfigurationException">The file can't be read, or a line is not an assignment. The message contains line numbers, never text.</exception>
    public static IReadOnlyDictionary<string, string> Read(string path, TimeSpan? limit = null)
    {
        var name = Path.GetFileName(path);
        if (!File.Exists(path)) return new Dictionary<string, string>();
        var longest = limit ?? LongestRead;
        try
        {
            // On its own thread: opening a named pipe blocks until a process writes to it, and can't be cancelled. Some secret stores provide the file as a pipe.
            var reading = Task.Factory.StartNew(() => ReadText(path), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            return Parse(reading.WaitAsync(longest).GetAwaiter().GetResult(), name);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or DecoderFallbackException or TimeoutException)
        {
            var problem = e switch
            {
                InvalidDataException => $"is larger than {MostBytes / 1024} KiB",
                DecoderFallbackException => "is not UTF-8 text",
                UnauthorizedAccessException => "is not readable by this process",
                TimeoutException => $"did not return its content within {longest.TotalSeconds:0.#} s; it may be a named pipe that no process writes to",
                _ => "can't be read",
            };
            throw new DatabaseRouterConfigurationException([$"{name} {problem}. Set the variables themselves, or replace it with an ordinary text file."]);
        }
    }

    /// <exception cref="InvalidDataException">The file is too long.</exception>
    /// <exception cref="DecoderFallbackException">The file is not text. Replacement characters would change a password.</exception>
    private static string ReadText(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var bytes = new byte[MostBytes + 1];
        var count = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (count > MostBytes) throw new InvalidDataException();
        using var reader = new StreamReader(new MemoryStream(bytes, 0, count), new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: true);
        return reader.ReadToEnd();
    }

    internal static IReadOnlyDictionary<string, string> Parse(string text, string file)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        var faults = new List<string>();
        foreach (var (index, line) in text.ReplaceLineEndings("\n").Split('\n').Select(line => line.Trim()).Index())
        {
            if (line.Length == 0 || line[0] == '#') continue;
            if (Assignment().Match(line) is { Success: true, Groups: var parts }) variables[parts["name"].Value] = parts["quoted"].Value + parts["bare"].Value.TrimEnd();
            else faults.Add($"{file}, line {index + 1}: not an assignment. Write NAME=value or NAME=\"value\".");
        }

        return faults.Count == 0 ? variables : throw new DatabaseRouterConfigurationException(faults);
    }

    /// <remarks>
    /// A pasted URL can also contain an =, but the text before it is not a name. In an unquoted value, a # is part of the value, and starts a comment only
    /// after a space.
    /// </remarks>
    [GeneratedRegex(
        """
        ^ (?> (export[ ])? \s*) (?<name>[\p{L}\p{Nd}_.:-]+) \s* = (?>\s*)
        ( "(?<quoted>[^"]*)" \s* (\#.*)?
        | '(?<quoted>[^']*)' \s* (\#.*)?
        | (?<bare>(?!["']).*?) ([ ]\#.*)?
        ) $
        """,
        RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Assignment();
}
