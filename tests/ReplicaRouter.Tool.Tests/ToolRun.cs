using System.Text.Json;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Tests;

/// <summary>The exit code and output of one run of the command.</summary>
internal sealed record ToolRun(int ExitCode, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public static async Task<ToolRun> Async(IEnumerable<string> args, CancellationToken ct)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await ToolCommands.RunAsync([.. args], output, error, ct);
        var run = new ToolRun(exitCode, output.ToString(), error.ToString());
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        return run;
    }

    public static Task<ToolRun> Async(params string[] args) => Async(args, TestContext.Current.CancellationToken);
}
