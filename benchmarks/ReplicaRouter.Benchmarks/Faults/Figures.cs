using System.Diagnostics;
using System.Text.Json.Serialization;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>The figures of one arm in one scenario.</summary>
internal sealed record Figures
{
    /// <summary>Operations that succeeded.</summary>
    public required int Operations { get; init; }

    /// <summary>Reads and writes that failed, without those of <see cref="CutOff"/>.</summary>
    public required int Errors { get; init; }

    public required int WriteErrors { get; init; }

    /// <summary>Writes in flight when their server was lost: no arm can know whether they were executed, and none may retry them.</summary>
    public required int CutOff { get; init; }

    public required int Lost { get; init; }

    public required int Duplicates { get; init; }

    public required double P99Ms { get; init; }

    public required double MaxMs { get; init; }

    /// <summary>The p99 of the writes that started before the fault, in ms.</summary>
    public double? WriteP99BeforeMs { get; init; }

    /// <summary>The p99 of the writes that started after that, until three quarters of the run, in ms.</summary>
    public double? WriteP99DuringMs { get; init; }

    /// <summary>The total time of the operations that took longer than a second, in seconds.</summary>
    public required double BlockedWorkerSeconds { get; init; }

    /// <summary>Time from the moment that the promoted server accepted writes to the first write that it acknowledged, in ms.</summary>
    /// <value><see langword="null"/> if nothing was promoted; the rest of the run if no write succeeded.</value>
    public double? FirstWriteAfterPromotionMs { get; init; }

    /// <summary>Time from the moment that the replica answered again to the end of the first later read that it served, in ms.</summary>
    /// <value><see langword="null"/> if no replica returned; the rest of the run if it served no read.</value>
    public double? BackInRotationMs { get; init; }

    /// <summary>Whether the returned or promoted server was used before the end of the run.</summary>
    [JsonIgnore]
    public bool IsRecovered { get; init; }

    /// <param name="operations">The operations of the run, without those of the warm-up.</param>
    /// <param name="audit">The fate of the writes.</param>
    /// <param name="recovery">When a server could be used again.</param>
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

    // A write can be acknowledged in the few milliseconds before the promotion is seen.
    private static double? Between(long? from, long to) => from is { } start ? Rounded(Math.Max(0, Stopwatch.GetElapsedTime(start, to).TotalMilliseconds)) : null;

    private static double Rounded(double value) => Math.Round(value, 1);
}
