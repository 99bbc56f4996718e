using System.Net.Sockets;
using Npgsql;

namespace ReplicaRouter.Simulation;

/// <summary>Asks a made-up server over a connection that is kept, as the product's probe does.</summary>
internal sealed class SimulatedProbe(AppProcess process, Server server) : IHostProbe
{
    private bool _isKept;
    private int _generation;
    private long _connectedAt;

    public Task<HostAnswer> ProbeAsync(CancellationToken cancellationToken)
    {
        if (!_isKept) return LoginAsync(cancellationToken);
        // Taken out while in use, as the next probe may come before this one's answer.
        _isKept = false;
        var answered = new TaskCompletionSource<HostAnswer>();
        Ask(answered, _generation, _connectedAt);
        return answered.Task;
    }

    public Task<HostAnswer> LoginAsync(CancellationToken cancellationToken)
    {
        var answered = new TaskCompletionSource<HostAnswer>();
        Login(answered);
        return answered.Task;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Login(TaskCompletionSource<HostAnswer> answered) => process.World.Travel(5, () =>
    {
        if (server.Admit() is { } refusal)
        {
            process.Receive(() => answered.SetException(Refusal(refusal)));
            return;
        }

        var generation = server.Generation;
        server.AddProber(1, generation);
        server.Share(server.Model.LoginMs, isDone => process.Receive(() =>
        {
            if (isDone) Ask(answered, generation, process.Clock.GetTimestamp());
            else answered.SetException(Refusal(FailureKind.Unreachable));
        }));
    });

    private void Ask(TaskCompletionSource<HostAnswer> answered, int generation, long connectedAt) => process.World.Travel(() =>
    {
        if (generation != server.Generation)
        {
            process.Receive(() => Login(answered));
            return;
        }

        server.Probes.Count(process.World.Events.Now);
        server.Share(server.Model.ProbeMs, isDone =>
        {
            var answer = isDone ? server.Answer(connectedAt) : null;
            process.Receive(() => Answered(answered, answer, generation, connectedAt));
        });
    });

    private void Answered(TaskCompletionSource<HostAnswer> answered, HostAnswer? answer, int generation, long connectedAt)
    {
        if (answer is null)
        {
            Login(answered);
            return;
        }

        if (_isKept)
        {
            server.Leave(generation);
            server.AddProber(-1, generation);
        }
        else (_isKept, _generation, _connectedAt) = (true, generation, connectedAt);

        answered.SetResult(answer);
    }

    private static Exception Refusal(FailureKind kind) => kind == FailureKind.Full
        ? new PostgresException("sorry, too many clients already", "FATAL", "FATAL", PostgresErrorCodes.TooManyConnections)
        : new NpgsqlException("refused", new SocketException((int)SocketError.ConnectionRefused));
}
