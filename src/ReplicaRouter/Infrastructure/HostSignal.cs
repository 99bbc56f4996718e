using System.Diagnostics.CodeAnalysis;

namespace ReplicaRouter.Infrastructure;

/// <summary>Signals everything that works on a host that something has happened to it.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A source without a timer holds no resources, and listeners can still read its token.")]
internal sealed class HostSignal
{
    private CancellationTokenSource _source = new();

    /// <summary>Cancelled at the next alarm.</summary>
    public CancellationToken Token => Volatile.Read(ref _source).Token;

    /// <summary>Cancels the current token, without waiting for its callbacks.</summary>
    public void Raise() => _ = Interlocked.Exchange(ref _source, new CancellationTokenSource()).CancelAsync();
}
