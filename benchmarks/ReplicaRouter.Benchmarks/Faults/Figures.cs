using System.Diagnostics;
using System.Text.Json.Serialization;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>What one arm made of one scenario.</summary>
internal sealed record Figures
{
    /// <summary>Operations that succeeded.</summary>
    public required int Operations { get; init; }

    /// <summary>Reads and writes that failed, but for those of <see cref="CutOff"/>.</summary>
    public required int Errors { get; init; }

    public required int WriteErrors { get; init; }

    /// <summary>Writes that were under way when their server was lost: no arm can know whether they were executed, and none may send them again.</summary>
    public required int CutOff { get; init; }

    public required int Lost { get; init; }

    public required int Duplicates { get; init; }

    public required double P99Ms { get; init; }

    public required double MaxMs { get; init; }

    /// <summary>The p99 of the writes that were begun before things went wrong.</summary>
    public double? WriteP99BeforeMs { get; init; }

    /// <summary>The p99 of those that were begun since, until three quarters of the run were over.</summary>
    public double? WriteP99DuringMs { get; init; }

    /// <summary>The time of all operations that took longer than a second.</summary>
    public required double BlockedWorkerSeconds { get; init; }

    /// <summary>From the moment the promoted server took writes to the first one acknowledged by it.</summary>
    /// <value><see langword="null"/> where nothing was promoted; the time that was left when no write came through.</value>
    public double? FirstWriteAfterPromotionMs { get; init; }

    /// <summary>From the moment the replica answered again to the end of the first read begun since then that it served.</summary>
    /// <value><see langword="null"/> where no replica came back; the time that was left when it served none.</value>
    public double? BackInRotationMs { get; init; }

    /// <summary>Whether the server that came back or was promoted was used before the run was over.</summary>
    [JsonIgnore]
    public bool IsRecovered { get; init; }

    /// <param name="operations">All that belong to the run, and no warm-up.</param>
    /// <param name="audit">What became of the writes.</param>
    /// <param name="recovery">Since when a server could have been used again.</param>
    /// <param name="timeline">The time of the run.</param>
    /// <param name="end">When the load ended.</param>
    public static Figures Of(IReadOnlyList<Operation> operations, Audit audit, Recovery recovery, Timeline timeline, long end)
    {
        var onset = timeline.At(Scenario.Onset);
        var served = operations.Where(operation => operation.Answer?.Port == recovery.Port).ToList();
        var firstWrite = FirstEnd(served.Where(operation => operation.IsWrite));
        var firstRead = FirstEnd(served.Where(operation => !operation.IsWrite && operation.Started >= recovery.TakesReads));
        return new()
        {
            Operations = operations.Count(operation => operation.Answer is not null),
            Errors = operations.Count(operation => operation is { Error: not null, IsCutOff: false }),
            WriteErrors = operations.Count(operation => operation is { IsWrite: true, Error: not null, IsCutOff: false }),
            CutOff = operations.Count(operation => operation.IsCutOff),
            Lost = audit.Lost,
            Duplicates = audit.Duplicates,
            P99Ms = P99(operations)!.Value,
            MaxMs = Rounded(operations.Max(operation => operation.Duration.TotalMilliseconds)),
            WriteP99BeforeMs = P99(operations.Where(operation => operation.IsWrite && operation.Started < onset)),
            WriteP99DuringMs = P99(operations.Where(operation => operation.IsWrite && operation.Started >= onset && operation.Started < timeline.At(Scenario.EndOfFault))),
            BlockedWorkerSeconds = Rounded(operations.Sum(operation => operation.Duration.TotalSeconds > 1 ? operation.Duration.TotalSeconds : 0)),
            FirstWriteAfterPromotionMs = Between(recovery.TakesWrites, firstWrite ?? end),
            BackInRotationMs = Between(recovery.TakesReads, firstRead ?? end),
            IsRecovered = (recovery.TakesWrites is null ? firstRead : firstWrite) is not null,
        };
    }

    private static double? P99(IEnumerable<Operation> operations)
    {
        var milliseconds = operations.Select(operation => operation.Duration.TotalMilliseconds).Order().ToList();
        return milliseconds.Count == 0 ? null : Rounded(milliseconds[(int)Math.Ceiling(milliseconds.Count * 0.99) - 1]);
    }

    private static long? FirstEnd(IEnumerable<Operation> operations) => operations.Min(operation => (long?)operation.Ended);

    // A write may be acknowledged in the few milliseconds before the promotion is seen.
    private static double? Between(long? from, long to) => from is { } start ? Rounded(Math.Max(0, Stopwatch.GetElapsedTime(start, to).TotalMilliseconds)) : null;

    private static double Rounded(double value) => Math.Round(value, 1);
}
