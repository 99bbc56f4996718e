using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Checks;

/// <summary>An operating-system process with its own router, which runs sessions for a <see cref="LostHistoryCheck"/>.</summary>
internal sealed class SessionProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly TextWriter _orders;
    private readonly Task _reading;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<SessionAnswer>> _waiting = [];
    private volatile bool _hasEnded;

    private SessionProcess(Process process)
    {
        _process = process;
        _orders = TextWriter.Synchronized(process.StandardInput);
        _reading = ReadAsync();
    }

    /// <summary>Starts <see cref="SessionHost"/> with a router for the cluster. It inherits this process's standard error.</summary>
    public static SessionProcess Start(LocalCluster cluster)
    {
        // Uses the dependencies of the program that runs the check: a library's folder lacks those that come with that program's frameworks.
        var program = Assembly.GetEntryAssembly()!.Location;
        var start = new ProcessStartInfo("dotnet",
        [
            "exec", "--runtimeconfig", Path.ChangeExtension(program, ".runtimeconfig.json"), "--depsfile", Path.ChangeExtension(program, ".deps.json"),
            typeof(SessionHost).Assembly.Location,
        ])
        { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in cluster.EnvironmentVariables) start.Environment[name] = value;
        return new(Process.Start(start)!);
    }

    /// <summary>Runs one session. A worker has one order at a time.</summary>
    /// <exception cref="InvalidOperationException">The process ended.</exception>
    public async Task<SessionAnswer> RunAsync(SessionOrder order)
    {
        var answer = new TaskCompletionSource<SessionAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[order.Id] = answer;
        if (_hasEnded) FailAll();
        else await _orders.WriteLineAsync(JsonSerializer.Serialize(order));
        return await answer.Task;
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _process.StandardOutput.ReadLineAsync() is { } line)
            {
                var answer = JsonSerializer.Deserialize<SessionAnswer>(line)!;
                if (_waiting.TryRemove(answer.Id, out var waiting)) waiting.SetResult(answer);
            }
        }
        finally
        {
            _hasEnded = true;
            FailAll();
        }
    }

    private void FailAll()
    {
        foreach (var waiting in _waiting.Values) waiting.TrySetException(new InvalidOperationException($"Process {_process.Id} of the check ended."));
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }
}
