using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>Something that makes servers slow, and can be taken away again.</summary>
internal interface IImpediment : IAsyncDisposable
{
    /// <summary>How arms are to reach the servers, slow or not.</summary>
    Reach Reach { get; }

    void Begin(IReadOnlyList<LocalServer> victims);

    void End();
}
