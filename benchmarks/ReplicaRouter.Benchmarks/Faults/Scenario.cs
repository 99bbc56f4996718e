using ReplicaRouter.Benchmarks.Faults.Scenarios;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>A fault during the load.</summary>
internal abstract class Scenario
{
    /// <summary>The share of a run after which the fault begins.</summary>
    public const double Onset = 0.25;

    /// <summary>The share of a run after which a temporary fault ends.</summary>
    public const double EndOfFault = 0.75;

    /// <summary>The end of the tail after a fault that lasts for the whole run, as a share of the run.</summary>
    protected const double EndOfTail = 1.5;

    public static IReadOnlyList<Scenario> All { get; } = [new Kill(), new Suspend(), new BlackHole(), new Promotion(), new Switchover(), new Lag()];

    public abstract string Name { get; }

    /// <summary>Read workers.</summary>
    public virtual int Readers => 8;

    /// <summary>Whether arms reach the victim through a proxy.</summary>
    public virtual bool NeedsProxy => false;

    /// <summary>Whether commits wait for the victim.</summary>
    public virtual bool NeedsSynchronousVictim => false;

    /// <summary>Sets the router's options for this scenario.</summary>
    public virtual void Configure(DatabaseRouterOptions options)
    {
    }

    /// <summary>Injects the fault; completes at the end of the run.</summary>
    public abstract Task<Recovery> RunAsync(Stand stand, Timeline timeline, CancellationToken ct);
}
