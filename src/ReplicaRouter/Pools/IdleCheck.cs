using System.Data;
using System.Net.Sockets;
using System.Transactions;
using Npgsql;

namespace ReplicaRouter.Pools;

/// <summary>Checks whether a connection that was idle is still alive before a caller gets it.</summary>
/// <remarks>
/// Servers, load balancers and firewalls close idle connections, and the machine can have slept. An announced close (an error, FIN or RST) makes the socket readable, which an
/// idle connection never is otherwise; checking that costs less than a microsecond. A silent close shows only in a round trip to the server, which is done after a longer idle
/// time.
/// </remarks>
internal sealed class IdleCheck(TimeSpan askAfter, TimeProvider time)
{
    /// <summary>
    /// Time limit for the answer, as for a slow login: a lost packet is sent again after 200 ms. A slower server costs a login, not an error.
    /// </summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(250);

    /// <summary>Connections of a busy pool are used more often than this, and are not checked.</summary>
    private const long LookAfterMs = 100;

    /// <summary>The wall clock advances while a machine sleeps; the monotonic clock may not. Between two uses, no clock is set or slewed by as much as this.</summary>
    private const double SleptMs = 1000;

    private readonly long _askAfterMs = (long)askAfter.TotalMilliseconds;
    private double _wallAhead = WallAhead(time);
    private long _sleptAt = long.MinValue;

    /// <summary>Records the use of an open connection, and checks it without a round trip.</summary>
    /// <param name="lease">The connection.</param>
    /// <param name="mayEnlist">Whether opening enlists it in an ambient transaction, if there is one. Then it can't be replaced.</param>
    /// <returns>Whether it may be dead.</returns>
    public bool IsInDoubt(ConnectionLease lease, bool mayEnlist)
    {
        if (lease.Source.Logins.Find(lease.Connection) is not { } login) return false;
        var (before, now) = (login.UsedAt, time.Coarse());
        login.UsedAt = now;
        if (now - before < LookAfterMs || (mayEnlist && Transaction.Current is not null)) return false;
        var ahead = WallAhead(time);
        if (ahead - Interlocked.Exchange(ref _wallAhead, ahead) > SleptMs) _sleptAt = now;
        return now - before >= _askAfterMs || before <= _sleptAt || ConnectionSocket.HasNews(ConnectionSocket.Of(lease.Connection));
    }

    /// <summary>Makes a round trip over an open connection that is in doubt.</summary>
    /// <returns>Whether the server answers in time. If not, the connection is closed.</returns>
    public async ValueTask<bool> AnswersAsync(NpgsqlConnection connection, bool async)
    {
        CommandFlow.Current.Value = CommandFlow.Uncounted;   // in this method's own context, which ends with it
        var socket = ConnectionSocket.Of(connection);
        var asking = async ? AskAsync(connection, async) : Ask(connection, socket);
        if (!await asking.EndsWithinAsync(Limit, time, CancellationToken.None).ConfigureAwait(false))
        {
            socket?.Dispose();
            _ = CloseAfterAsync(asking, connection);
            return false;
        }

        // A server that answers with an error is alive, unless the error closed the connection.
        if (asking.IsCompletedSuccessfully || (asking.Exception is not null && connection.FullState == ConnectionState.Open)) return true;
        if (async) await connection.DisposeAsync().ConfigureAwait(false);
        else connection.Dispose();
        return false;
    }

    private static double WallAhead(TimeProvider time) =>
        (time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMilliseconds - time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>Makes one round trip that is not a command, so it appears in no log, metric or trace of commands. Poolers pass it on to the server.</summary>
    private static async Task AskAsync(NpgsqlConnection connection, bool async)
    {
        var transaction = async ? await connection.BeginTransactionAsync(CancellationToken.None).ConfigureAwait(false) : connection.BeginTransaction();
        await using var _ = transaction.ConfigureAwait(false);
        if (async) await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        else transaction.Commit();
    }

    /// <summary>Does the same on the caller's thread. A dedicated thread enforces the limit: pool threads can all be blocked here.</summary>
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
