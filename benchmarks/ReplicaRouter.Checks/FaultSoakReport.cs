namespace ReplicaRouter.Checks;

/// <summary>The result of a <see cref="FaultSoak"/>.</summary>
public sealed record FaultSoakReport
{
    /// <summary>Seed of the faults, to repeat the run with.</summary>
    public required int Seed { get; init; }

    /// <summary>Faults of the servers, by kind.</summary>
    public required IReadOnlyDictionary<string, int> Faults { get; init; }

    /// <summary>Operations that succeeded while faults happened, by kind of work.</summary>
    public required IReadOnlyDictionary<string, long> Done { get; init; }

    /// <summary>Operations that failed while faults happened, by kind of work and error.</summary>
    public required IReadOnlyDictionary<string, long> Errors { get; init; }

    /// <summary>Of those, reads by <c>ExecuteAsync</c> that failed with any error other than <see cref="NoEligibleHostException"/>.</summary>
    public required long UnexplainedReadErrors { get; init; }

    /// <summary>Operations that succeeded after everything was healed.</summary>
    public required IReadOnlyDictionary<string, long> DoneAfterwards { get; init; }

    /// <summary>Operations that failed after everything was healed.</summary>
    public required IReadOnlyDictionary<string, long> ErrorsAfterwards { get; init; }

    /// <summary>Acknowledged writes that are missing.</summary>
    public required int LostWrites { get; init; }

    /// <summary>Writes that are in the table more than once.</summary>
    public required int DoubledWrites { get; init; }

    /// <summary>Connections that the router still counted as in use after the load had ended, by host.</summary>
    public required IReadOnlyDictionary<string, int> InUse { get; init; }

    /// <summary>The application's database sessions that remained after the router was disposed, by server.</summary>
    public required IReadOnlyDictionary<string, long> SessionsLeft { get; init; }

    /// <summary>Memory in use at the end minus the memory in use after the warm-up, in bytes.</summary>
    public required long MemoryGrowth { get; init; }

    /// <summary>The problems, one sentence each; empty if there are none.</summary>
    public IReadOnlyList<string> Complaints =>
    [
        .. Complain(UnexplainedReadErrors, "reads failed although another host could have served them"),
        .. Complain(ErrorsAfterwards.Values.Sum(), "operations failed after everything was healed"),
        .. DoneAfterwards.Where(work => work.Value == 0).Select(work => $"no '{work.Key}' operation succeeded after everything was healed"),
        .. Complain(LostWrites, "acknowledged writes are lost"),
        .. Complain(DoubledWrites, "writes were applied more than once"),
        .. Complain(InUse.Values.Sum(), "connections are still counted as in use"),
        .. Complain(SessionsLeft.Values.Sum(), "database sessions are left on the servers"),
        .. Complain(MemoryGrowth > FaultSoak.MostGrowth ? MemoryGrowth : 0, "bytes of memory were not released"),
    ];

    /// <inheritdoc/>
    public override string ToString() => $"""
        seed {Seed}: {(Complaints.Count == 0 ? "the faults left nothing behind" : string.Join("; ", Complaints))}
        faults:       {List(Faults)}
        done:         {List(Done)}
        errors:       {List(Errors)}
        afterwards:   {List(DoneAfterwards)}
        late errors:  {List(ErrorsAfterwards)}
        writes:       {LostWrites} lost, {DoubledWrites} doubled
        left:         in use {List(InUse)}, sessions {List(SessionsLeft)}, memory {MemoryGrowth} bytes
        """;

    private static string List<T>(IReadOnlyDictionary<string, T> counts) => counts.Count == 0 ? "none" : string.Join(", ", counts.Select(pair => $"{pair.Key} {pair.Value}"));

    private static string[] Complain(long count, string what) => count == 0 ? [] : [$"{count} {what}"];
}
