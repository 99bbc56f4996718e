namespace ReplicaRouter;

/// <summary>Asks one host how it is.</summary>
internal interface IHostProbe : IAsyncDisposable
{
    /// <summary>One question and its answer; throws when the host fails. Cancellation means that nobody waits any more.</summary>
    Task<HostAnswer> ProbeAsync(CancellationToken cancellationToken);
}
