using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor;

/// <summary>One item of the production checklist. Every implementation in this assembly runs.</summary>
internal interface ICheck
{
    /// <summary>The name, such as <c>hot-standby-feedback</c>.</summary>
    string Name { get; }

    Area Area { get; }

    /// <summary>Why it matters, in a sentence or two.</summary>
    string Why { get; }

    /// <summary>Returns the hosts that the check judges. A check without hosts is skipped.</summary>
    IEnumerable<HostFacts> Subjects(ClusterFacts cluster);

    /// <summary>Judges the facts. Pure: it does no I/O.</summary>
    Findings Examine(ClusterFacts cluster);
}
