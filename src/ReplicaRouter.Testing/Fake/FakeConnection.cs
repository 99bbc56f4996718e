using System.Net.Sockets;

namespace ReplicaRouter.Testing.Fake;

/// <summary>A client's connection, from its first byte to its end.</summary>
internal sealed class FakeConnection : IDisposable
{
    private const int SslRequest = 80877103;
    private const int GssEncRequest = 80877104;
    private const int CancelRequest = 80877102;

    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private readonly MessageReader _reader;
    private readonly MessageWriter _writer;
    private readonly SessionTransaction _transaction;
    private readonly StatementRunner _runner;
    private readonly ExtendedQuery _extended;
    private readonly CancellationTokenSource _end = new();
    private readonly Dictionary<string, string> _reported = [];
    private volatile CancellationTokenSource _cancel = new();
    private volatile FakeError? _lastWords;
    private volatile bool _isLoggedIn;
    private volatile bool _isActive;

    public FakeConnection(FakeServer server, Socket socket, int id)
    {
        (Server, _socket, Id) = (server, socket, id);
        _stream = new NetworkStream(socket, ownsSocket: false);
        _reader = new MessageReader(_stream);
        _writer = new MessageWriter(_stream);
        _transaction = new SessionTransaction(server.Transactions);
        _runner = new StatementRunner(this, _transaction, _writer);
        _extended = new ExtendedQuery(id, _runner, _writer);
    }

    public FakeServer Server { get; }

    /// <summary>The backend's process id, as the client sees it.</summary>
    public int Id { get; }

    public string ApplicationName { get; private set; } = "";

    public bool IsLoggedIn => _isLoggedIn;

    /// <summary>Whether the connection is running a statement.</summary>
    public bool IsActive => _isActive;

    /// <summary>The transaction's id, once it has written.</summary>
    public long? TransactionId => _transaction.Id;

    /// <summary>Serves the connection until it ends. Never throws, so that one connection's end affects nothing else.</summary>
    public async Task RunAsync()
    {
        try
        {
            await ServeUntilEndAsync().ConfigureAwait(false);
        }
        catch (Exception end)
        {
            // The client is gone or sent an invalid message, or the test ends the connection.
            if (end is ConnectionFaultException { IsReset: true }) Reset();
        }
        finally
        {
            _transaction.Abandon();
            (_isLoggedIn, _isActive) = (false, false);
        }
    }

    /// <summary>Ends the connection with RST.</summary>
    public void Reset()
    {
        try
        {
            _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // The connection has already ended.
        }

        _socket.Dispose();
        _end.Cancel();
    }

    /// <summary>Ends the connection as an administrator does: with 57P01, between two statements or during one.</summary>
    /// <returns>True.</returns>
    public bool Terminate()
    {
        _lastWords = new FakeError("FATAL", "57P01", "terminating connection due to administrator command");
        _end.Cancel();
        return true;
    }

    /// <summary>Cancels the running statement, if it is waiting.</summary>
    public void Cancel() => _cancel.Cancel();

    /// <summary>Begins a statement. Earlier cancel requests do not apply to it.</summary>
    public void BeginStatement() => (_isActive, _cancel) = (true, new CancellationTokenSource());

    public Task FlushAsync() => _writer.FlushAsync(_end.Token);

    /// <summary>Sends all buffered messages, and waits.</summary>
    /// <returns>True when the time is over; false when the statement was cancelled.</returns>
    /// <exception cref="ConnectionFaultException">The client is gone.</exception>
    public async Task<bool> PauseAsync(TimeSpan time, bool heedsCancel)
    {
        await FlushAsync().ConfigureAwait(false);
        using var over = new CancellationTokenSource(time, Server.Time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(over.Token, _end.Token, heedsCancel ? _cancel.Token : CancellationToken.None);
        try
        {
            while (await _reader.FillAsync(any.Token).ConfigureAwait(false))
            {
                // Buffers what the client sends during the wait, and notices at once when it disconnects.
            }
        }
        catch (OperationCanceledException) when (!_end.IsCancellationRequested)
        {
            return over.IsCancellationRequested;
        }

        throw new ConnectionFaultException(isReset: false);
    }

    public void Dispose()
    {
        _stream.Dispose();
        _socket.Dispose();
    }

    private async Task ServeUntilEndAsync()
    {
        try
        {
            if (await LogInAsync().ConfigureAwait(false)) await ServeAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_lastWords is { } error)
        {
            _writer.Error(error);
            await _writer.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <returns>Whether the client is logged in; if not, it sent a cancel request or is gone.</returns>
    private async Task<bool> LogInAsync()
    {
        while (await _reader.ReadStartupAsync(_end.Token).ConfigureAwait(false) is { } message)
        {
            switch (message.Int32())
            {
                case SslRequest or GssEncRequest:
                    await _stream.WriteAsync("N"u8.ToArray(), _end.Token).ConfigureAwait(false);
                    break;
                case CancelRequest:
                    Server.Cancel(message.Int32(), message.Int32());
                    return false;
                default:
                    ReadParameters(message);
                    await LetInAsync().ConfigureAwait(false);
                    return true;
            }
        }

        return false;
    }

    private void ReadParameters(MessageBody message)
    {
        for (var name = message.Text(); name.Length > 0; name = message.Text())
        {
            var value = message.Text();
            if (name == "application_name") ApplicationName = value;
        }
    }

    private async Task LetInAsync()
    {
        if (Server.AskToLogIn() is { } refusal) await _runner.RefuseAsync(refusal).ConfigureAwait(false);
        _isLoggedIn = true;
        Server.CountLogin();
        _writer.AuthenticationOk();
        ReportParameters();
        _writer.BackendKeyData(Id, Server.Secret);
        await ReadyAsync().ConfigureAwait(false);
    }

    private async Task ServeAsync()
    {
        var isSkipping = false;
        while (await _reader.ReadAsync(_end.Token).ConfigureAwait(false) is { } message)
        {
            switch (message.Type)
            {
                case 'X':
                    return;
                case 'Q':
                    await QueryAsync(message.Text()).ConfigureAwait(false);
                    break;
                case 'S':
                    isSkipping = false;
                    await ReadyAsync().ConfigureAwait(false);
                    break;
                case 'H':
                    await FlushAsync().ConfigureAwait(false);
                    break;
                default:
                    if (!isSkipping) isSkipping = !await _extended.HandleAsync(message).ConfigureAwait(false);
                    break;
            }
        }
    }

    /// <summary>Runs the statements of a simple query, up to the first that fails.</summary>
    private async Task QueryAsync(string sql)
    {
        var statements = SqlText.Statements(sql);
        if (statements.Count == 0) _writer.Write('I');
        foreach (var text in statements)
        {
            var statement = new FakeStatement(Id, text, []);
            var answer = _runner.Begin(statement);
            if (answer.Columns is { } columns) _writer.RowDescription(columns, ResultFormats.Text);
            if (!await _runner.RunAsync(statement, answer, ResultFormats.Text).ConfigureAwait(false)) break;
            if (SqlText.OnOneLine(text).Equals("DISCARD ALL", StringComparison.OrdinalIgnoreCase)) _extended.Clear();
        }

        await ReadyAsync().ConfigureAwait(false);
    }

    private Task ReadyAsync()
    {
        _isActive = false;
        ReportParameters();
        _writer.ReadyForQuery(_transaction.Status);
        return FlushAsync();
    }

    /// <summary>Reports the parameters that changed since the last report; at login, all of them.</summary>
    private void ReportParameters()
    {
        foreach (var (name, value) in ServerParameters.Reported(Server.State))
        {
            if (_reported.GetValueOrDefault(name) == value) continue;
            _reported[name] = value;
            _writer.ParameterStatus(name, value);
        }
    }
}
