using System.Diagnostics;

namespace ReplicaRouter.Testing.Processes;

/// <summary>A process that kills and removes a cluster as soon as this process releases it or ends, even by kill -9.</summary>
internal sealed class Guard : IDisposable
{
    private static readonly string s_script = ReadScript();
    private readonly Process _process;

    private Guard(Process process) => _process = process;

    internal static Guard Over(string folder, ServerAccount account)
    {
        var (user, group) = account.Ids;
        // .NET opens its end of the pipe close-on-exec: no server inherits it, so it closes when this process ends.
        var start = new ProcessStartInfo("setsid", ["bash", "-c", s_script, "guard", folder, user, group]) { RedirectStandardInput = true };
        return new(Process.Start(start)!);
    }

    /// <summary>Kills the cluster and removes its folder.</summary>
    internal async Task ReleaseAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().ConfigureAwait(false);
    }

    /// <summary>Lets the cluster and its folder outlive this process.</summary>
    internal async Task KeepAsync()
    {
        await _process.StandardInput.WriteAsync("keep").ConfigureAwait(false);
        await ReleaseAsync().ConfigureAwait(false);
    }

    public void Dispose() => _process.Dispose();

    private static string ReadScript()
    {
        using var reader = new StreamReader(typeof(Guard).Assembly.GetManifestResourceStream("guard.sh")!);
        return reader.ReadToEnd();
    }
}
