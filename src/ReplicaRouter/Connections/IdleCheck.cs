using System.Data;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Transactions;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Finds out whether a connection that was idle is still alive, before a caller gets it.</summary>
/// <remarks>
/// Servers, load balancers and firewalls end idle connections, and a machine may have slept. An end that was announced, by an error, FIN or RST, waits in the
/// socket: an idle connection has nothing to read. To look costs less than a microsecond. An end in silence shows only when the server is asked, which costs a
/// round trip: that is done after a longer time.
/// </remarks>
/// <param name="askAfter">Time without use after which the server is asked.</param>
/// <param name="time">The clock.</param>
internal sealed class IdleCheck(TimeSpan askAfter, TimeProvider time)
{
    /// <summary>A tenth of the shortest time after which load balancers and firewalls commonly forget a connection: a minute or more.</summary>
    public static readonly TimeSpan AskAfter = TimeSpan.FromSeconds(6);

    /// <summary>
    /// Time for the answer, as for a slow login: a lost packet is sent again after 200 ms. A server that answers later than that costs a login and no error.
    /// </summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(250);

    /// <summary>Connections of a busy pool are used more often than this, and cost nothing.</summary>
    private const long LookAfterMs = 100;

    /// <summary>The wall clock runs on while a machine sleeps, and the other one may not. No clock is set or slewed by so much in between.</summary>
    private const double SleptMs = 1000;

    // By an object that belongs to the physical connection, for as long as that lives.
    private readonly ConditionalWeakTable<object, LastUse> _lastUses = [];
    private readonly long _askAfterMs = (long)askAfter.TotalMilliseconds;
    private double _wallAhead = WallAhead(time);
    private long _sleptAt = long.MinValue;

    /// <summary>Notes a connection that has just been logged in.</summary>
    public void Begin(NpgsqlConnection connection) => _lastUses.AddOrUpdate(ConnectionSocket.OwnerOf(connection), new LastUse { At = time.Coarse() });

    /// <summary>Notes that an open connection is about to be used.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="mayEnlist">Whether opening it has enlisted it in an ambient transaction, if there is one: then nothing may take its place.</param>
    /// <returns>Whether it may have ended since it was used last.</returns>
    public bool IsInDoubt(NpgsqlConnection connection, bool mayEnlist)
    {
        if (!_lastUses.TryGetValue(ConnectionSocket.OwnerOf(connection), out var last)) return false;
        var (before, now) = (last.At, time.Coarse());
        last.At = now;
        return now - before >= LookAfterMs && IsInDoubt(connection, mayEnlist, before, now);
    }

    /// <summary>Asks the server over an open connection that is in doubt.</summary>
    /// <returns>Whether it answers in time. A connection that did not is closed.</returns>
    public async Task<bool> AnswersAsync(NpgsqlConnection connection)
    {
        CommandFlow.Current.Value = CommandFlow.Uncounted;   // in this method's own context, which ends with it
        var socket = ConnectionSocket.Of(connection);
        var asking = AskAsync(connection);
        if (!await asking.EndsWithinAsync(Limit, time, CancellationToken.None).ConfigureAwait(false))
        {
            socket?.Dispose();
            asking.Forget();
            _ = CloseAfterAsync(asking, connection);
            return false;
        }

        if (IsOpen(connection, asking)) return true;
        await connection.DisposeAsync().ConfigureAwait(false);
        return false;
    }

    /// <inheritdoc cref="AnswersAsync"/>
    public static bool Answers(NpgsqlConnection connection)
    {
        var flow = CommandFlow.Current.Value;
        CommandFlow.Current.Value = CommandFlow.Uncounted;
        var asked = new ManualResetEventSlim();
        try
        {
            // Not by a thread of the pool: all of them may be waiting as this one does.
            if (ConnectionSocket.Of(connection) is { } socket) EndUnless(asked, socket);
            using var transaction = connection.BeginTransaction();
            transaction.Commit();
            return true;
        }
        catch (Exception)
        {
            if (IsOpen(connection)) return true;
            connection.Dispose();
            return false;
        }
        finally
        {
            asked.Set();
            CommandFlow.Current.Value = flow;
        }
    }

    private bool IsInDoubt(NpgsqlConnection connection, bool mayEnlist, long before, long now)
    {
        if (mayEnlist && Transaction.Current is not null) return false;
        if (HasSlept()) _sleptAt = now;
        return now - before >= _askAfterMs || before <= _sleptAt || ConnectionSocket.HasNews(ConnectionSocket.Of(connection));
    }

    private bool HasSlept()
    {
        var ahead = WallAhead(time);
        return ahead - Interlocked.Exchange(ref _wallAhead, ahead) > SleptMs;
    }

    private static double WallAhead(TimeProvider time) =>
        (time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMilliseconds - time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>One round trip that is no command: it stands in no log, metric or trace of commands. Any pooler in between passes it on.</summary>
    private static async Task AskAsync(NpgsqlConnection connection)
    {
        var transaction = await connection.BeginTransactionAsync(CancellationToken.None).ConfigureAwait(false);
        await using var _ = transaction.ConfigureAwait(false);
        await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
    }

    private static void EndUnless(ManualResetEventSlim asked, Socket socket) => new Thread(() =>
    {
        if (!asked.Wait(Limit)) socket.Dispose();
    })
    { IsBackground = true, Name = "ReplicaRouter idle check" }.Start();

    /// <summary>A server that answers with an error lives, as long as the error did not end the connection.</summary>
    private static bool IsOpen(NpgsqlConnection connection, Task asked) => asked.IsCompletedSuccessfully || (asked.Exception is not null && IsOpen(connection));

    private static bool IsOpen(NpgsqlConnection connection) => connection.FullState == ConnectionState.Open;

    private static async Task CloseAfterAsync(Task asking, NpgsqlConnection connection)
    {
        await asking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    private sealed class LastUse
    {
        public long At { get; set; }
    }
}
