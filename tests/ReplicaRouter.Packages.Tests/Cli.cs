using System.Diagnostics;
using System.Text;

namespace ReplicaRouter.Packages.Tests;

/// <summary>Runs programs as a user would, in a folder and with environment variables.</summary>
internal static class Cli
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(8);

    /// <summary>Runs a program to its end, and asserts exit code 0.</summary>
    /// <returns>Its standard output and error.</returns>
    public static async Task<string> RunAsync(string folder, IReadOnlyDictionary<string, string> variables, string program, params string[] arguments)
    {
        var (exitCode, text) = await EndAsync(folder, variables, program, arguments);
        Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {exitCode}\n{text}");
        return text;
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<(int ExitCode, string Output)> EndAsync(string folder, IReadOnlyDictionary<string, string> variables, string program, params string[] arguments)
    {
        using var process = Start(folder, variables, program, arguments);
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(output, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(s_timeout);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"{program} {string.Join(' ', arguments)}: did not end within {s_timeout}\n{TextOf(output)}");
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }

        return (process.ExitCode, TextOf(output));
    }

    /// <summary>Starts a program whose output the caller reads.</summary>
    public static Process Start(string folder, IReadOnlyDictionary<string, string> variables, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        // Build servers that outlive the program would keep its output open, and the test would wait for them.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        foreach (var (name, value) in variables) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static void Append(StringBuilder output, string? line)
    {
        if (line is null) return;
        lock (output) output.AppendLine(line);
    }

    private static string TextOf(StringBuilder output)
    {
        lock (output) return output.ToString();
    }
}
