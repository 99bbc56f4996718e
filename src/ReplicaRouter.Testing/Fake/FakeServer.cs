using System.Collections.Immutable;
using ReplicaRouter.Testing.Fake;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Testing;

/// <summary>
/// A server on a free port of 127.0.0.1 that speaks PostgreSQL's protocol but has no data. It reports the state that a test sets, and answers statements as the
/// test scripts them, including faults. Use it to test what happens between a client and a server; for replication, use a <see cref="LocalCluster"/>.
/// </summary>
/// <remarks>Any user can log in to any database, without a password and without TLS. All members are thread-safe.</remarks>
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
            // On Linux the port stays reserved even while nothing listens on it.
            OperatingSystem.IsLinux() ? LoopbackPort.Any() : LoopbackPort.Known(0),
            client => new FakeConnection(this, client, Interlocked.Increment(ref _lastId)),
            connection => connection.RunAsync(),
            connection => connection.Reset());
    }

    /// <summary>The port. It stays the same for the life of the server.</summary>
    public int Port => _listener.Port;

    /// <summary>
    /// Npgsql connection string. It turns off what the fake server does not have: TLS, GSSAPI, and the catalog that Npgsql loads types from. Npgsql
    /// knows the built-in types without it.
    /// </summary>
    public string ConnectionString =>
        $"Host=127.0.0.1;Port={Port};Username=fake;Database=fake;SSL Mode=Disable;GSS Encryption Mode=Disable;Server Compatibility Mode=NoTypeLoading";

    /// <summary>The state that the server reports. A change takes effect with the next query, and open connections report it as PostgreSQL does.</summary>
    public FakeServerState State
    {
        get => _state;
        set => _state = value with { StartedAt = value.StartedAt ?? _state.StartedAt };
    }

    /// <summary>
    /// The answer to logins: an error such as <c>FakeAnswer.Fatal("53300")</c>, or a fault. <c>FakeAnswer.Tag("").After(delay)</c> delays logins.
    /// Default null: logins succeed.
    /// </summary>
    public FakeAnswer? LoginAnswer
    {
        get => _loginAnswer;
        set => _loginAnswer = value;
    }

    /// <summary>Number of successful logins since the start.</summary>
    public int Logins => Volatile.Read(ref _logins);

    /// <summary>Number of login attempts since the start.</summary>
    public int LoginAttempts => Volatile.Read(ref _loginAttempts);

    /// <summary>Number of logged-in connections, including idle ones of pools and those of probes.</summary>
    public int OpenConnections => _listener.Connections.Count(connection => connection.IsLoggedIn);

    /// <summary>The statements so far, in order, without those that query the server's state or reset a connection (see <see cref="AllStatements"/>).</summary>
    public IReadOnlyList<FakeStatement> Statements
    {
        get
        {
            lock (_lock) return [.. _statements.Where(noted => !noted.IsHousekeeping).Select(noted => noted.Statement)];
        }
    }

    /// <summary>All statements so far, in order, including a router's probes.</summary>
    public IReadOnlyList<FakeStatement> AllStatements
    {
        get
        {
            lock (_lock) return [.. _statements.Select(noted => noted.Statement)];
        }
    }

    internal TimeProvider Time { get; }

    internal TransactionIds Transactions { get; } = new();

    /// <summary>The secret key that a cancel request must contain. All connections share it.</summary>
    internal int Secret { get; } = Random.Shared.Next();

    /// <summary>Starts a server.</summary>
    /// <param name="state">The state that the server reports. Default: a primary.</param>
    /// <param name="time">The clock for <see cref="FakeAnswer.After"/> and the server's start time. Default: the system's.</param>
    public static FakeServer Start(FakeServerState? state = null, TimeProvider? time = null)
    {
        var server = new FakeServer(state ?? new FakeServerState(), time ?? TimeProvider.System);
        server.Listen();
        return server;
    }

    /// <summary>Sets the answer to all statements that begin with a text. Later calls take precedence over earlier ones.</summary>
    /// <param name="beginning">The beginning of the SQL. Ignores case and the kind and amount of white space.</param>
    /// <param name="answer">The answer.</param>
    public void On(string beginning, FakeAnswer answer) => On(beginning, _ => answer);

    /// <param name="beginning">The beginning of the SQL. Ignores case and the kind and amount of white space.</param>
    /// <param name="answer">Returns the answer; null to leave it to earlier calls and the defaults. Several connections call it concurrently.</param>
    /// <inheritdoc cref="On(string, FakeAnswer)" path="/summary"/>
    public void On(string beginning, Func<FakeStatement, FakeAnswer?> answer)
    {
        var start = SqlText.OnOneLine(beginning);
        On(statement => SqlText.OnOneLine(statement.Sql).StartsWith(start, StringComparison.OrdinalIgnoreCase) ? answer(statement) : null);
    }

    /// <summary>Sets the answer to any statement, including queries of the server's state and a transaction's COMMIT.</summary>
    /// <param name="answer">Returns the answer; null to leave it to earlier calls and the defaults. Several connections call it concurrently.</param>
    public void On(Func<FakeStatement, FakeAnswer?> answer) => ImmutableInterlocked.Update(ref _rules, static (rules, rule) => rules.Push(rule), answer);

    /// <summary>Waits until a condition is true. Checks it every 5 ms.</summary>
    /// <param name="condition">The condition, such as <c>() => server.Logins == 2</c>. It can be about anything.</param>
    /// <param name="timeout">Longest wait.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="TimeoutException">The condition did not become true in time. The message shows the last statements.</exception>
    public async Task WaitForAsync(Func<bool> condition, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > timeout)
                throw new TimeoutException($"The condition did not become true within {timeout}. Last statements: {string.Join("; ", Statements.TakeLast(5))}.");
            await Task.Delay(s_poll, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Refuses new connections by closing the port. Open connections stay open.</summary>
    public void Refuse() => _listener.Refuse();

    /// <summary>Accepts new connections again after <see cref="Refuse"/>.</summary>
    public void Listen() => _listener.Listen();

    /// <summary>Resets (RST) all open connections.</summary>
    public void Reset() => _listener.Reset();

    /// <summary>Ends all open connections as an administrator does: FATAL, 57P01.</summary>
    public void Terminate()
    {
        foreach (var connection in _listener.Connections) connection.Terminate();
    }

    /// <summary>Ends the server like a crash: closes the port and resets all connections.</summary>
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

    /// <summary>Closes the port, resets all connections, and releases the port.</summary>
    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    internal FakeConnection? Find(int id) => _listener.Connections.FirstOrDefault(connection => connection.Id == id && connection.IsLoggedIn);

    internal int CountOf(string applicationName) => _listener.Connections.Count(connection => connection.IsLoggedIn && connection.ApplicationName == applicationName);

    /// <summary>Returns a snapshot in which no transaction is in progress.</summary>
    internal string Snapshot() => $"{Transactions.Next}:{Transactions.Next}:";

    internal void Cancel(int id, int secret)
    {
        if (secret == Secret) Find(id)?.Cancel();
    }

    /// <returns>The answer to the login; null if it succeeds.</returns>
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

    /// <returns>The test's answer; null if it has none.</returns>
    internal FakeAnswer? Scripted(FakeStatement statement)
    {
        try
        {
            return _rules.Select(rule => rule(statement)).FirstOrDefault(answer => answer is not null);
        }
        catch (Exception e)
        {
            // An SQLSTATE that says nothing about the server's health.
            return FakeAnswer.Error("P0001", $"The test's answer failed: {e}");
        }
    }
}
