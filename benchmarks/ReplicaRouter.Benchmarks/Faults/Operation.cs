using System.Diagnostics;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>One read or write of the load.</summary>
/// <param name="IsWrite">Whether it wrote a token.</param>
/// <param name="Started">When it started.</param>
/// <param name="Ended">When it was answered, failed, or was abandoned at the end of the run.</param>
internal readonly record struct Operation(bool IsWrite, long Started, long Ended)
{
    /// <summary>The answer; null if it failed or was abandoned.</summary>
    public Answer? Answer { get; init; }

    /// <summary>Why it failed; null if it was answered or abandoned.</summary>
    public string? Error { get; init; }

    /// <summary>Whether it was in flight when its server was lost, so that its outcome is unknown.</summary>
    public bool IsCutOff { get; init; }

    public TimeSpan Duration => Stopwatch.GetElapsedTime(Started, Ended);
}

/// <summary>A server's answer.</summary>
/// <param name="Port">The port that the server reports.</param>
/// <param name="Token">The token that was written.</param>
internal readonly record struct Answer(int Port, Guid Token = default);
