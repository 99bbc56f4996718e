using Npgsql;

namespace ReplicaRouter.Health;

/// <summary>Statements that failed on a host and were answered by another one, as with damaged data or no memory. Says when the host is better left out, and how long.</summary>
internal sealed class HostFaults(TimeProvider time)
{
    /// <summary>So many within a time, and at least one of so many commands of the host: fewer are run again elsewhere, and the rest of the host's work is well.</summary>
    private const int Many = 5;
    private const int MostCommandsPerFault = 20;
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(10);

    /// <summary>How long the host is left out; doubled each time that its first statements after that show the same again.</summary>
    private static readonly TimeSpan s_firstHold = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_longestHold = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private long _windowAt;
    private long _commandsBefore;
    private int _faults;
    private TimeSpan _hold;
    private long _backAt;

    /// <summary>Whether an error that a statement met may be one that other hosts do not have. What the primary lacks, no host has.</summary>
    public static bool MayBeOfHost(Exception exception, bool isReplica) => exception is PostgresException { SqlState: var state } && state switch
    {
        // Raised by a statement, it is about a connection to another server.
        PostgresErrorCodes.TooManyConnections => false,
        PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted => true,
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.UndefinedFunction => isReplica,
        _ => state.StartsWith("53", StringComparison.Ordinal) || state.StartsWith("58", StringComparison.Ordinal),
    };

    /// <summary>Counts a statement that failed here, after so many commands of the host, and was answered elsewhere.</summary>
    /// <returns>How long the host is to be left out; null as long as there are few.</returns>
    public TimeSpan? Record(long commands)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            // Statements that were under way when it was left out tell nothing new.
            if (now < _backAt) return null;
            var isRelapse = _hold > TimeSpan.Zero && time.GetElapsedTime(_backAt, now) < s_longestHold;
            if (!isRelapse && !HasMany(now, commands)) return null;
            _hold = isRelapse ? TimeSpan.Min(2 * _hold, s_longestHold) : s_firstHold;
            (_faults, _backAt) = (0, now + time.Ticks(_hold));
            return _hold;
        }
    }

    /// <summary>What a code says, for people; the server's own text may hold data.</summary>
    public static string Describe(string sqlState) => sqlState switch
    {
        PostgresErrorCodes.DataCorrupted => "damaged data (XX001)",
        PostgresErrorCodes.IndexCorrupted => "a damaged index (XX002)",
        PostgresErrorCodes.OutOfMemory => "no memory left (53200)",
        PostgresErrorCodes.DiskFull => "a full disk (53100)",
        _ when sqlState.StartsWith("42", StringComparison.Ordinal) => $"a table, column or function that it does not have, as before a migration is replayed ({sqlState})",
        _ when sqlState.StartsWith("53", StringComparison.Ordinal) => $"resources that it lacks ({sqlState})",
        _ => $"files that it can't read or write ({sqlState})",
    };

    private bool HasMany(long now, long commands)
    {
        if (_faults == 0 || time.GetElapsedTime(_windowAt, now) > s_window) (_faults, _windowAt, _commandsBefore) = (0, now, commands);
        _faults++;
        return _faults >= Many && _faults * MostCommandsPerFault >= commands - _commandsBefore;
    }
}
