using System.Diagnostics;

namespace ReplicaRouter.Benchmarks.Overload;

/// <summary>One operation of an open load.</summary>
/// <param name="Due">When it was due.</param>
/// <param name="Ended">When it ended.</param>
/// <param name="IsAnswered">Whether it was answered, rather than failed or refused.</param>
internal readonly record struct Arrival(long Due, long Ended, bool IsAnswered)
{
    public double Milliseconds => Stopwatch.GetElapsedTime(Due, Ended).TotalMilliseconds;
}
