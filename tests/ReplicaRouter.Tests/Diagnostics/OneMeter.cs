using System.Diagnostics.Metrics;

namespace ReplicaRouter.Tests.Diagnostics;

/// <summary>A router's own meter: other tests have meters of the same name.</summary>
internal sealed class OneMeter : IMeterFactory
{
    public Meter? Meter { get; private set; }

    public Meter Create(MeterOptions options) => Meter = new Meter(options);

    public void Dispose() => Meter?.Dispose();
}
