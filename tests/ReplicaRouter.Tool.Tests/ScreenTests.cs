using ReplicaRouter.Tool.CommandLine;
using Spectre.Console;

namespace ReplicaRouter.Tool.Tests;

/// <summary>How texts from servers and discovery sources reach a terminal.</summary>
[Trait("Failure", "C12")]
public sealed class ScreenTests : IDisposable
{
    private const string Text = "role \"a\u001b]0;owned\u0007\u001b[2Jb\" \u009b31m is missing";

    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    private Screen Screen => new(_output, _error);

    [Fact]
    public void Control_characters_in_a_table_are_not_shown()
    {
        Screen.Write(new Rows(new Table().AddColumn("found").AddRow(new Text(Text)), new Text(Text)));
        AssertPlain(_output);
    }

    [Fact]
    public void Control_characters_in_a_message_are_not_shown_and_its_lines_are_kept()
    {
        Screen.Say("first\n" + Text);
        AssertPlain(_error);
        Assert.StartsWith("first\n", _error.ToString().ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void Control_characters_in_JSON_are_escaped()
    {
        Screen.WriteJson(new { Error = Text });
        AssertPlain(_output);
    }

    private static void AssertPlain(StringWriter writer)
    {
        var shown = writer.ToString().ReplaceLineEndings("");
        Assert.Contains("is missing", shown, StringComparison.Ordinal);
        Assert.DoesNotContain(shown, char.IsControl);
    }
}
