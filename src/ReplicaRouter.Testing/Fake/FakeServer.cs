using System.Collections.Immutable;
using ReplicaRouter.Testing.Fake;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Testing;

/// <summary>
/// A server on a free port of 127.0.0.1 that speaks PostgreSQL's protocol and has no data: it says of itself what a test wants, and answers statements as the
/// test has scripted them, faults included. It is for what happens between a client and a server; what needs replication needs a <see cref="LocalCluster"/>.
/// </summary>
/// <remarks>Any user may log in to any database, without a password and without TLS. All members may be used at once.</remarks>
public sealed class FakeServer : IAsyncDisposable
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(5);

    private readonly LoopbackListener<FakeConnection> _listener;
    private readonly List<(FakeStatement Statement, bool IsHousekeeping)> _statements = [];
    private readonly Lock _lock = new();
    private ImmutableStack<Func<FakeStatement, FakeAnswer?>> _rules = ImmutableStack<Func<FakeStatement, FakeAnswer?>>.Empty;
    private volatile FakeServerState _state;
    private volatile FakeAnswer? _loginAnswer;
    private int _lastId;
    private int _logins;
    private int _loginAttempts;

    private FakeServer(FakeServerState state, TimeProvider time)
    {
        Time = time;
        _state = state with { StartedAt = state.StartedAt ?? time.GetUtcNow() };
        _listener = new(
            // Where the system can lend a port it is ours while nothing listens on it, too.
            OperatingSystem.IsLinux() ? LoopbackPort.Any() : LoopbackPort.Known(0),
            client => new FakeConnection(this, client, Interlocked.Increment(ref _lastId)),
            connection => connection.RunAsync(),
            connection => connection.Reset());
    }

    /// <summary>The port, the same for the life of the server.</summary>
    public int Port => _listener.Port;

    /// <summary>
    /// Npgsql connection string. It turns off what the fake server does not have: TLS, GSSAPI, and the catalog that types are loaded from. Npgsql knows the built-in types without it.
    /// </summary>
    public string ConnectionString =>
        $"Host=127.0.0.1;Port={Port};Username=fake;Database=fake;SSL Mode=Disable;GSS Encryption Mode=Disable;Server Compatibility Mode=NoTypeLoading";

    /// <summary>What the server says of itself. A change holds from the next question on, and open connections report it as PostgreSQL does.</summary>
    public FakeServerState State
    {
        get => _state;
        set => _state = value with { StartedAt = value.StartedAt ?? _state.StartedAt };
    }

    /// <summary>
    /// What clients meet in place of a login: an error such as <c>FakeAnswer.Fatal("53300")</c>, or a fault. <c>FakeAnswer.Tag("").After(delay)</c> lets them in late.
    /// Default null: they are let in.
    /// </summary>
    public FakeAnswer? LoginAnswer
    {
        get => _loginAnswer;
        set => _loginAnswer = value;
    }

    /// <summary>Clients that have been let in since the start.</summary>
    public int Logins => Volatile.Read(ref _logins);

    /// <summary>Clients that have asked to be let in since the start.</summary>
    public int LoginAttempts => Volatile.Read(ref _loginAttempts);

    /// <summary>Connections that are logged in now, idle ones of pools and those of probes included.</summary>
    public int OpenConnections => _listener.Connections.Count(connection => connection.IsLoggedIn);

    /// <summary>The statements so far, in order, without those of <see cref="AllStatements"/> that are about the server or reset a connection.</summary>
    public IReadOnlyList<FakeStatement> Statements
    {
        get
        {
            lock (_lock) return [.. _statements.Where(noted => !noted.IsHousekeeping).Select(noted => noted.Statement)];
        }
    }

    /// <summary>The statements so far, in order, a router's probes included.</summary>
    public IReadOnlyList<FakeStatement> AllStatements
    {
        get
        {
            lock (_lock) return [.. _statements.Select(noted => noted.Statement)];
        }
    }

    internal TimeProvider Time { get; }

    internal TransactionIds Transactions { get; } = new();

    /// <summary>What a request to cancel has to know, the same for all connections.</summary>
    internal int Secret { get; } = Random.Shared.Next();

    /// <summary>Starts a server.</summary>
    /// <param name="state">What it says of itself. Default: a primary.</param>
    /// <param name="time">The clock of <see cref="FakeAnswer.After"/> and of its start. Default: the system's.</param>
    public static FakeServer Start(FakeServerState? state = null, TimeProvider? time = null)
    {
        var server = new FakeServer(state ?? new FakeServerState(), time ?? TimeProvider.System);
        server.Listen();
        return server;
    }

    /// <summary>Gives the answer to all statements that begin so. What was said last goes before what was said earlier.</summary>
    /// <param name="beginning">As much of the SQL as tells them from others. Case and the kind of white space make no difference.</param>
    /// <param name="answer">The answer.</param>
    public void On(string beginning, FakeAnswer answer) => On(beginning, _ => answer);

    /// <param name="beginning">As much of the SQL as tells them from others. Case and the kind of white space make no difference.</param>
    /// <param name="answer">Gives the answer; null where another one shall, as without this. Called by several connections at once.</param>
    /// <inheritdoc cref="On(string, FakeAnswer)" path="/summary"/>
    public void On(string beginning, Func<FakeStatement, FakeAnswer?> answer)
    {
        var start = SqlText.OnOneLine(beginning);
        On(statement => SqlText.OnOneLine(statement.Sql).StartsWith(start, StringComparison.OrdinalIgnoreCase) ? answer(statement) : null);
    }

    /// <summary>Gives the answer to any statement, questions about the server and the COMMIT of a transaction included.</summary>
    /// <param name="answer">Gives the answer; null where another one shall, as without this. Called by several connections at once.</param>
    public void On(Func<FakeStatement, FakeAnswer?> answer) => ImmutableInterlocked.Update(ref _rules, static (rules, rule) => rules.Push(rule), answer);

    /// <summary>Waits until a condition holds. It is looked at every few milliseconds, and may be about anything.</summary>
    /// <param name="condition">The condition, such as <c>() => server.Logins == 2</c>.</param>
    /// <param name="timeout">How long it may take.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">It does not hold in time. The message names the last statements.</exception>
    public async Task WaitForAsync(Func<bool> condition, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > timeout)
                throw new TimeoutException($"The condition did not hold within {timeout}. The last statements: {string.Join("; ", Statements.TakeLast(5))}.");
            await Task.Delay(s_poll, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Refuses new connections (the port is closed). Open ones go on.</summary>
    public void Refuse() => _listener.Refuse();

    /// <summary>Takes new connections again, after <see cref="Refuse"/>.</summary>
    public void Listen() => _listener.Listen();

    /// <summary>Resets (RST) the connections that are open now.</summary>
    public void Reset() => _listener.Reset();

    /// <summary>Ends the connections that are open now as an administrator does: FATAL, 57P01.</summary>
    public void Terminate()
    {
        foreach (var connection in _listener.Connections) connection.Terminate();
    }

    /// <summary>Ends the server as a crash does: the port is closed, and connections are reset.</summary>
    public void Kill()
    {
        Refuse();
        Reset();
    }

    /// <summary>Kills the server, and starts it again with a new start time.</summary>
    public void Restart()
    {
        Kill();
        State = State with { StartedAt = Time.GetUtcNow(), ReplayLsn = State.IsStandby ? State.ReplayLsn : null };
        Listen();
    }

    /// <summary>Closes the port and resets what is open. Nothing of the server is left.</summary>
    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    internal FakeConnection? Find(int id) => _listener.Connections.FirstOrDefault(connection => connection.Id == id && connection.IsLoggedIn);

    internal int CountOf(string applicationName) => _listener.Connections.Count(connection => connection.IsLoggedIn && connection.ApplicationName == applicationName);

    /// <summary>A snapshot in which no transaction is open.</summary>
    internal string Snapshot() => $"{Transactions.Next}:{Transactions.Next}:";

    internal void Cancel(int id, int secret)
    {
        if (secret == Secret) Find(id)?.Cancel();
    }

    /// <returns>What meets the client instead; null when it is let in.</returns>
    internal FakeAnswer? AskToLogIn()
    {
        Interlocked.Increment(ref _loginAttempts);
        return _loginAnswer;
    }

    internal void CountLogin() => Interlocked.Increment(ref _logins);

    internal void Note(FakeStatement statement)
    {
        var isHousekeeping = ServerQuestions.IsHousekeeping(statement.Sql);
        lock (_lock) _statements.Add((statement, isHousekeeping));
    }

    /// <returns>Null where the test says nothing.</returns>
    internal FakeAnswer? Scripted(FakeStatement statement)
    {
        try
        {
            return _rules.Select(rule => rule(statement)).FirstOrDefault(answer => answer is not null);
        }
        catch (Exception e)
        {
            // A code that says nothing of the server's health.
            return FakeAnswer.Error("P0001", $"The test's answer failed: {e}");
        }
    }
}
