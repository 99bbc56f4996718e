using Npgsql;

namespace ReplicaRouter.Health;

/// <summary>Counts statements that failed on a host but succeeded on another, as with damaged data or no memory. Decides when to eject the host, and for how long.</summary>
internal sealed class HostFaults(TimeProvider time)
{
    /// <summary>
    /// Ejection takes this many faults within <see cref="s_window"/>, and at least one per <see cref="MostCommandsPerFault"/> commands. Fewer are just retried elsewhere.
    /// </summary>
    private const int Many = 5;
    private const int MostCommandsPerFault = 20;
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(10);

    /// <summary>How long the first ejection lasts. The next one lasts twice as long if a statement fails here within <see cref="s_longestHold"/> of the re-admission.</summary>
    private static readonly TimeSpan s_firstHold = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_longestHold = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private long _windowAt;
    private long _commandsBefore;
    private int _faults;
    private TimeSpan _hold;
    private long _backAt;

    /// <summary>Whether another host could succeed where a statement failed. A table, column or function that the primary lacks exists on no host.</summary>
    public static bool IsPossiblyHostSpecific(Exception exception, bool isReplica) => exception is PostgresException { SqlState: var state } && state switch
    {
        // When a statement raises it, it is about a connection to another server.
        PostgresErrorCodes.TooManyConnections => false,
        PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted => true,
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.UndefinedFunction => isReplica,
        _ => state.StartsWith("53", StringComparison.Ordinal) || state.StartsWith("58", StringComparison.Ordinal),
    };

    /// <summary>Counts a statement that failed here and succeeded elsewhere. <paramref name="commands"/>: the host's commands so far.</summary>
    /// <returns>How long to eject the host; null while faults are few.</returns>
    public TimeSpan? Record(long commands)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            // Statements that were in progress at the ejection show nothing new.
            if (now < _backAt) return null;
            var isRelapse = _hold > TimeSpan.Zero && time.GetElapsedTime(_backAt, now) < s_longestHold;
            if (!isRelapse && !HasMany(now, commands)) return null;
            _hold = isRelapse ? TimeSpan.Min(2 * _hold, s_longestHold) : s_firstHold;
            (_faults, _backAt) = (0, now + time.Ticks(_hold));
            return _hold;
        }
    }

    /// <summary>Describes a SQLSTATE for people. The server's own text is not used, as it can hold data.</summary>
    public static string Describe(string sqlState) => sqlState switch
    {
        PostgresErrorCodes.DataCorrupted => "damaged data (XX001)",
        PostgresErrorCodes.IndexCorrupted => "a damaged index (XX002)",
        PostgresErrorCodes.OutOfMemory => "no memory left (53200)",
        PostgresErrorCodes.DiskFull => "a full disk (53100)",
        _ when sqlState.StartsWith("42", StringComparison.Ordinal) => $"a missing table, column or function, as before a migration is replayed ({sqlState})",
        _ when sqlState.StartsWith("53", StringComparison.Ordinal) => $"insufficient resources ({sqlState})",
        _ => $"files that can't be read or written ({sqlState})",
    };

    private bool HasMany(long now, long commands)
    {
        if (_faults == 0 || time.GetElapsedTime(_windowAt, now) > s_window) (_faults, _windowAt, _commandsBefore) = (0, now, commands);
        _faults++;
        return _faults >= Many && _faults * MostCommandsPerFault >= commands - _commandsBefore;
    }
}
