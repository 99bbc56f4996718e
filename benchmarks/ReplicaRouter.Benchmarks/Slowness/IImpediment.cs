using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>A reversible cause of slow servers.</summary>
internal interface IImpediment : IAsyncDisposable
{
    /// <summary>How arms reach the servers, slow or not.</summary>
    Reach Reach { get; }

    void Begin(IReadOnlyList<LocalServer> victims);

    void End();
}
