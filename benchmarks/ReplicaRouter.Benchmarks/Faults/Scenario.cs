namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>One thing that goes wrong while the load runs.</summary>
internal abstract class Scenario
{
    /// <summary>The share of a run after which things go wrong.</summary>
    public const double Onset = 0.25;

    /// <summary>The share of a run after which what can be mended is mended.</summary>
    public const double EndOfFault = 0.75;

    /// <summary>The end of a run, as a share of it, that goes on after a fault which lasts to its end.</summary>
    protected const double EndOfTail = 1.5;

    public static IReadOnlyList<Scenario> All { get; } = [new Kill(), new Suspend(), new BlackHole(), new Promotion(), new Switchover(), new Lag()];

    public abstract string Name { get; }

    /// <summary>Read workers.</summary>
    public virtual int Readers => 8;

    /// <summary>Whether arms reach the victim through a proxy.</summary>
    public virtual bool NeedsProxy => false;

    /// <summary>Whether commits wait for the victim.</summary>
    public virtual bool NeedsSynchronousVictim => false;

    /// <summary>Sets what the router needs to know for this scenario.</summary>
    public virtual void Configure(DatabaseRouterOptions options)
    {
    }

    /// <summary>Does the damage and ends when the run is over.</summary>
    public abstract Task<Recovery> RunAsync(Stand stand, Timeline timeline, CancellationToken ct);
}
