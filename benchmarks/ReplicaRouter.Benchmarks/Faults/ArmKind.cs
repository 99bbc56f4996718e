using ReplicaRouter.Benchmarks.Arms;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>The name of an arm, and how to create it.</summary>
internal sealed record ArmKind(string Name, Func<Stand, Scenario, IArm> Create)
{
    /// <summary>The arm that the others are compared with.</summary>
    public const string Router = "router";

    public static IReadOnlyList<ArmKind> All { get; } =
    [
        new(Router, (stand, scenario) => new RouterArm(stand.Reach, scenario.Configure)),
        new("npgsql-multihost", (stand, _) => new MultiHostArm(stand.Reach)),
        new("npgsql-multihost-tuned", (stand, _) => new MultiHostArm(stand.Reach, settings => (settings.Timeout, settings.HostRecheckSeconds) = (2, 1))),
    ];
}
