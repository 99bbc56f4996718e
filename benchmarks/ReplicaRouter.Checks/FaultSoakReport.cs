namespace ReplicaRouter.Checks;

/// <summary>What a run of the <see cref="FaultSoak"/> found.</summary>
public sealed record FaultSoakReport
{
    /// <summary>Seed of the faults: with it a run can be repeated.</summary>
    public required int Seed { get; init; }

    /// <summary>Faults that were done to the servers, by kind.</summary>
    public required IReadOnlyDictionary<string, int> Faults { get; init; }

    /// <summary>Operations that succeeded while faults happened, by kind of work.</summary>
    public required IReadOnlyDictionary<string, long> Done { get; init; }

    /// <summary>Operations that failed while faults happened, by kind of work and error.</summary>
    public required IReadOnlyDictionary<string, long> Errors { get; init; }

    /// <summary>Of those, reads by <c>ExecuteAsync</c> that failed in any other way than that nobody could serve.</summary>
    public required long UnexplainedReadErrors { get; init; }

    /// <summary>Operations that succeeded after everything was healed.</summary>
    public required IReadOnlyDictionary<string, long> DoneAfterwards { get; init; }

    /// <summary>Operations that failed after everything was healed.</summary>
    public required IReadOnlyDictionary<string, long> ErrorsAfterwards { get; init; }

    /// <summary>Writes that were acknowledged and are not there.</summary>
    public required int LostWrites { get; init; }

    /// <summary>Writes that are there more than once.</summary>
    public required int DoubledWrites { get; init; }

    /// <summary>Connections that the router still counted as in use after the load had ended, by host.</summary>
    public required IReadOnlyDictionary<string, int> InUse { get; init; }

    /// <summary>Sessions of the application that a server still had after the router was disposed, by server.</summary>
    public required IReadOnlyDictionary<string, long> SessionsLeft { get; init; }

    /// <summary>Memory in use at the end less that after the warm-up, in bytes.</summary>
    public required long MemoryGrowth { get; init; }

    /// <summary>What is wrong, in words; empty if nothing is.</summary>
    public IReadOnlyList<string> Complaints =>
    [
        .. Complain(UnexplainedReadErrors, "reads failed although they could have been run on another host"),
        .. Complain(ErrorsAfterwards.Values.Sum(), "operations failed after everything was healed"),
        .. DoneAfterwards.Where(work => work.Value == 0).Select(work => $"no '{work.Key}' was done after everything was healed"),
        .. Complain(LostWrites, "acknowledged writes are lost"),
        .. Complain(DoubledWrites, "writes were done more than once"),
        .. Complain(InUse.Values.Sum(), "connections still count as in use"),
        .. Complain(SessionsLeft.Values.Sum(), "sessions are left on the servers"),
        .. Complain(MemoryGrowth > FaultSoak.MostGrowth ? MemoryGrowth : 0, "bytes of memory were not given back"),
    ];

    /// <inheritdoc/>
    public override string ToString() => $"""
        seed {Seed}: {(Complaints.Count == 0 ? "nothing is left of the faults" : string.Join("; ", Complaints))}
        faults:       {List(Faults)}
        done:         {List(Done)}
        errors:       {List(Errors)}
        afterwards:   {List(DoneAfterwards)}
        errors then:  {List(ErrorsAfterwards)}
        writes:       {LostWrites} lost, {DoubledWrites} doubled
        left:         in use {List(InUse)}, sessions {List(SessionsLeft)}, memory {MemoryGrowth} bytes
        """;

    private static string List<T>(IReadOnlyDictionary<string, T> counts) => counts.Count == 0 ? "none" : string.Join(", ", counts.Select(pair => $"{pair.Key} {pair.Value}"));

    private static string[] Complain(long count, string what) => count == 0 ? [] : [$"{count} {what}"];
}
