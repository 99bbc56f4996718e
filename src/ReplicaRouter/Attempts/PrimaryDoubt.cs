using Npgsql;

namespace ReplicaRouter.Attempts;

/// <summary>The commits that a primary may have hidden, at a moment, from a session that has read on replicas.</summary>
/// <param name="primary">The primary.</param>
/// <param name="askedAt">Timestamp of that moment. What a replica showed before is among these commits, or the primary shows it.</param>
/// <param name="hidden">Transactions that a replica shows as committed, separated by commas; null if there are none, or no replica could be asked.</param>
/// <param name="suspects">If no replica could be asked, the transactions that may already be committed.</param>
internal sealed class PrimaryDoubt(HostConfiguration primary, long askedAt, string? hidden, HashSet<long>? suspects = null)
{
    /// <summary>How long a transaction stays suspect that neither waits for a standby nor ends. A commit is shown sooner after its flush, if its process gets to run.</summary>
    private static readonly TimeSpan LongestSuspicion = TimeSpan.FromMilliseconds(20);

    public long AskedAt => askedAt;

    /// <summary>Whether it covers a primary, and everything that was read on replicas before a moment.</summary>
    public bool Covers(HostConfiguration host, long? until) => ReferenceEquals(host, primary) && !(askedAt < until);

    /// <summary>Asks the primary whether it shows all of these commits now.</summary>
    public async Task<bool> IsGoneAsync(NpgsqlConnection connection, TimeProvider time, CancellationToken cancellationToken)
    {
        if (hidden is not null) hidden = await HiddenCommits.StillHiddenAsync(connection, hidden, cancellationToken).ConfigureAwait(false);
        if (suspects is null or { Count: 0 }) return hidden is null;
        var now = await HiddenCommits.SuspectsAsync(connection, cancellationToken).ConfigureAwait(false);
        suspects.IntersectWith(now.Keys);
        return !suspects.Any(id => now[id]) && (suspects.Count == 0 || time.GetElapsedTime(askedAt) >= LongestSuspicion);
    }
}
