namespace ReplicaRouter.Health;

/// <summary>Asks one host how it is.</summary>
internal interface IHostProbe : IAsyncDisposable
{
    /// <summary>One question and its answer, over the connection that is kept for it; throws when the host fails. Cancelled only once no answer is wanted any more, ever.</summary>
    Task<HostAnswer> ProbeAsync(CancellationToken cancellationToken);

    /// <summary>The same over a new login: a server may serve those whom it knows and let nobody else in.</summary>
    Task<HostAnswer> LoginAsync(CancellationToken cancellationToken);
}
