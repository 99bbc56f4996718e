using System.Diagnostics;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>One read or write of the load.</summary>
/// <param name="IsWrite">Whether it wrote a token.</param>
/// <param name="Started">When it began.</param>
/// <param name="Ended">When it was answered, failed, or was abandoned because the run was over.</param>
internal readonly record struct Operation(bool IsWrite, long Started, long Ended)
{
    /// <summary>What came back; none when it failed or was abandoned.</summary>
    public Answer? Answer { get; init; }

    /// <summary>Why it failed; none when it was answered or abandoned.</summary>
    public string? Error { get; init; }

    /// <summary>Whether it was under way when its server was lost, so that nobody can know whether it was executed.</summary>
    public bool IsCutOff { get; init; }

    public TimeSpan Duration => Stopwatch.GetElapsedTime(Started, Ended);
}

/// <summary>What came back from a server.</summary>
/// <param name="Port">The server's own port, by its own word.</param>
/// <param name="Token">What was written.</param>
internal readonly record struct Answer(int Port, Guid Token = default);
