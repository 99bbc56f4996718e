using System.Diagnostics.CodeAnalysis;

namespace ReplicaRouter.Infrastructure;

/// <summary>Tells all who work on a host that something has happened to it.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A source without a timer holds nothing, and those who are told may still look at it.")]
internal sealed class Alarm
{
    private CancellationTokenSource _source = new();

    /// <summary>Cancelled at the next alarm.</summary>
    public CancellationToken Token => Volatile.Read(ref _source).Token;

    /// <summary>Does not wait for what those who are told do.</summary>
    public void Raise() => _ = Interlocked.Exchange(ref _source, new CancellationTokenSource()).CancelAsync();
}
