using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace ReplicaRouter.RepositoryTests;

/// <summary>Where a web application that was started as a process says that it listens.</summary>
internal static partial class ListeningAddress
{
    /// <param name="process">The process, both of whose outputs are redirected. They are read on, or it would wait for room in the pipe.</param>
    public static Task<Uri> OfAsync(Process process)
    {
        var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        var seen = new StringBuilder();
        void Read(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is null) address.TrySetException(new InvalidOperationException($"The application ended:\n{seen}"));
            else if (Listening().Match(line.Data) is { Success: true } match) address.TrySetResult(new Uri(match.Groups[1].Value));
            else lock (seen) seen.AppendLine(line.Data);
        }

        process.OutputDataReceived += Read;
        process.ErrorDataReceived += (_, line) => { lock (seen) seen.AppendLine(line.Data); };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return address.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex Listening();
}
