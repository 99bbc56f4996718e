using System.Diagnostics.Metrics;

namespace ReplicaRouter.Tests.Diagnostics;

/// <summary>A factory that keeps one router's meter, because other tests create meters with the same name.</summary>
internal sealed class OneMeter : IMeterFactory
{
    public Meter? Meter { get; private set; }

    public Meter Create(MeterOptions options) => Meter = new Meter(options);

    public void Dispose() => Meter?.Dispose();
}
