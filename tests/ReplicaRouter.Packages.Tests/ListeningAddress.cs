using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace ReplicaRouter.RepositoryTests;

/// <summary>Finds the address that a web application, started as a process, reports on its output.</summary>
internal static partial class ListeningAddress
{
    /// <param name="process">The process, with both outputs redirected. They are read to the end, as a full pipe would block it.</param>
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
