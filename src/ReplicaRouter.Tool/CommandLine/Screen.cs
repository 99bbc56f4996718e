using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ReplicaRouter.Tool.CommandLine;

/// <summary>A command's output: the result goes to standard output, everything else to standard error.</summary>
internal sealed class Screen
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private const int MostLines = 100;
    private const int LongestLine = 4000;

    private readonly TextWriter _output;
    private readonly TextWriter _error;

    public Screen(TextWriter output, TextWriter error)
    {
        (_output, _error) = (output, error);
        Console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        Console.Pipeline.Attach(new PlainOutput());
        // Without a terminal the library assumes a narrow width, which would wrap every row.
        if (!IsTerminal) Console.Profile.Width = 160;
    }

    public IAnsiConsole Console { get; }

    public bool IsTerminal => Console.Profile.Out.IsTerminal;

    public void Write(IRenderable result) => Console.Write(result);

    public void WriteLine(string text) => _output.WriteLine(text);

    public void WriteJson(object result) => _output.WriteLine(JsonSerializer.Serialize(result, s_json));

    /// <summary>Writes progress or an error to standard error.</summary>
    public void Say(string message)
    {
        // A message can quote the last lines of a server's log.
        foreach (var line in message.ReplaceLineEndings("\n").Split('\n').TakeLast(MostLines)) _error.WriteLine(PlainText.Of(line, LongestLine));
    }
}
