using System.Data;
using System.Net.Sockets;
using System.Transactions;
using Npgsql;

namespace ReplicaRouter.Pools;

/// <summary>Finds out whether a connection that was idle is still alive, before a caller gets it.</summary>
/// <remarks>
/// Servers, load balancers and firewalls end idle connections, and a machine may have slept. An end that was announced, by an error, FIN or RST, waits in the
/// socket: an idle connection has nothing to read. To look costs less than a microsecond. An end in silence shows only when the server is asked, which costs a
/// round trip: that is done after a longer time.
/// </remarks>
internal sealed class IdleCheck(TimeSpan askAfter, TimeProvider time)
{
    /// <summary>
    /// Time for the answer, as for a slow login: a lost packet is sent again after 200 ms. A server that answers later than that costs a login and no error.
    /// </summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(250);

    /// <summary>Connections of a busy pool are used more often than this, and cost nothing.</summary>
    private const long LookAfterMs = 100;

    /// <summary>The wall clock runs on while a machine sleeps, and the other one may not. No clock is set or slewed by so much in between.</summary>
    private const double SleptMs = 1000;

    private readonly long _askAfterMs = (long)askAfter.TotalMilliseconds;
    private double _wallAhead = WallAhead(time);
    private long _sleptAt = long.MinValue;

    /// <summary>Notes that an open connection is about to be used.</summary>
    /// <param name="lease">The connection.</param>
    /// <param name="mayEnlist">Whether opening it has enlisted it in an ambient transaction, if there is one: then nothing may take its place.</param>
    /// <returns>Whether it may have ended since it was used last.</returns>
    public bool IsInDoubt(ConnectionLease lease, bool mayEnlist)
    {
        if (lease.Source.Logins.Find(lease.Connection) is not { } login) return false;
        var (before, now) = (login.UsedAt, time.Coarse());
        login.UsedAt = now;
        return now - before >= LookAfterMs && IsInDoubt(lease.Connection, mayEnlist, before, now);
    }

    /// <summary>Asks the server over an open connection that is in doubt.</summary>
    /// <returns>Whether it answers in time. A connection that did not is closed.</returns>
    public async ValueTask<bool> AnswersAsync(NpgsqlConnection connection, bool async)
    {
        CommandFlow.Current.Value = CommandFlow.Uncounted;   // in this method's own context, which ends with it
        var socket = ConnectionSocket.Of(connection);
        var asking = async ? AskAsync(connection, async) : Ask(connection, socket);
        if (!await asking.EndsWithinAsync(Limit, time, CancellationToken.None).ConfigureAwait(false))
        {
            socket?.Dispose();
            asking.Forget();
            _ = CloseAfterAsync(asking, connection);
            return false;
        }

        // A server that answers with an error lives, as long as the error did not end the connection.
        if (asking.IsCompletedSuccessfully || (asking.Exception is not null && connection.FullState == ConnectionState.Open)) return true;
        if (async) await connection.DisposeAsync().ConfigureAwait(false);
        else connection.Dispose();
        return false;
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
    private static async Task AskAsync(NpgsqlConnection connection, bool async)
    {
        var transaction = async ? await connection.BeginTransactionAsync(CancellationToken.None).ConfigureAwait(false) : connection.BeginTransaction();
        await using var _ = transaction.ConfigureAwait(false);
        if (async) await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        else transaction.Commit();
    }

    /// <summary>The same on the caller's thread. Another one ends it when the time is up, not one of the pool: all of them may be waiting as this one does.</summary>
    private static Task Ask(NpgsqlConnection connection, Socket? socket)
    {
        var asked = new ManualResetEventSlim();
        new Thread(() =>
        {
            if (!asked.Wait(Limit)) socket?.Dispose();
        })
        { IsBackground = true, Name = "ReplicaRouter idle check" }.Start();
        var asking = AskAsync(connection, async: false);
        asked.Set();
        return asking;
    }

    private static async Task CloseAfterAsync(Task asking, NpgsqlConnection connection)
    {
        await asking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await connection.DisposeAsync().ConfigureAwait(false);
    }
}
