using ReplicaRouter.Benchmarks.Arms;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>An arm by its name, and how to make it.</summary>
internal sealed record ArmKind(string Name, Func<Stand, Scenario, IArm> Create)
{
    /// <summary>The name of the arm that the others are compared with.</summary>
    public const string Router = "router";

    public static IReadOnlyList<ArmKind> All { get; } =
    [
        new(Router, (stand, scenario) => new RouterArm(stand.Reach, scenario.Configure)),
        new("npgsql-multihost", (stand, _) => new MultiHostArm(stand.Reach)),
        new("npgsql-multihost-tuned", (stand, _) => new MultiHostArm(stand.Reach, settings => (settings.Timeout, settings.HostRecheckSeconds) = (2, 1))),
    ];
}
