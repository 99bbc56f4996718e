using System.Net.Sockets;
using Npgsql;

namespace ReplicaRouter.Simulation;

/// <summary>Probes a simulated server over a connection that it keeps, as the product's probe does.</summary>
internal sealed class SimulatedProbe(AppProcess process, Server server) : IHostProbe
{
    private Session? _kept;

    public Task<HostAnswer> ProbeAsync(CancellationToken cancellationToken)
    {
        if (_kept is not { } kept) return LoginAsync(cancellationToken);
        // Not kept while in use, because the next probe can come before this one's answer.
        _kept = null;
        var answered = new TaskCompletionSource<HostAnswer>();
        Ask(answered, kept);
        return answered.Task;
    }

    public Task<HostAnswer> LoginAsync(CancellationToken cancellationToken)
    {
        var answered = new TaskCompletionSource<HostAnswer>();
        Login(answered, cancellationToken);
        return answered.Task;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Login(TaskCompletionSource<HostAnswer> answered, CancellationToken cancellationToken = default) => process.World.Travel(5, () =>
    {
        if (server.Admit() is { } refusal)
        {
            process.Receive(() => answered.SetException(Refusal(refusal)));
            return;
        }

        var generation = server.Generation;
        server.AddProber(1, generation);
        var probers = server.Probers;
        server.Share(server.Model.LoginMs, isDone => process.Receive(() =>
        {
            if (cancellationToken.IsCancellationRequested) Close(answered, generation, cancellationToken);
            else if (isDone) Ask(answered, new Session(generation, process.Clock.GetTimestamp(), probers));
            else answered.SetException(Refusal(FailureKind.Unreachable));
        }));
    });

    private void Ask(TaskCompletionSource<HostAnswer> answered, Session session) => process.World.Travel(() =>
    {
        if (session.Generation != server.Generation)
        {
            process.Receive(() => Login(answered));
            return;
        }

        server.Probes.Count(process.World.Events.Now);
        server.Share(server.Model.ProbeMs, isDone =>
        {
            var answer = isDone ? server.Answer(session.ConnectedAt, session.Probers) : null;
            process.Receive(() => Answered(answered, answer, session));
        });
    });

    private void Close(TaskCompletionSource<HostAnswer> answered, int generation, CancellationToken cancellationToken)
    {
        server.Leave(generation);
        server.AddProber(-1, generation);
        answered.SetCanceled(cancellationToken);
    }

    private void Answered(TaskCompletionSource<HostAnswer> answered, HostAnswer? answer, Session session)
    {
        if (answer is null)
        {
            Login(answered);
            return;
        }

        if (_kept is not null)
        {
            server.Leave(session.Generation);
            server.AddProber(-1, session.Generation);
        }
        else _kept = session;

        answered.SetResult(answer);
    }

    /// <param name="Generation">The server's generation when the connection was opened.</param>
    /// <param name="ConnectedAt">When the connection was opened.</param>
    /// <param name="Probers">Number of routers that probed the server at that time.</param>
    private sealed record Session(int Generation, long ConnectedAt, int Probers);

    private static Exception Refusal(FailureKind kind) => kind == FailureKind.Full
        ? new PostgresException("sorry, too many clients already", "FATAL", "FATAL", PostgresErrorCodes.TooManyConnections)
        : new NpgsqlException("refused", new SocketException((int)SocketError.ConnectionRefused));
}
