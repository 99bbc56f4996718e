using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor;

/// <summary>One point of the production checklist. Every class of this assembly that implements it is run.</summary>
internal interface ICheck
{
    /// <summary>Its name, as in <c>hot-standby-feedback</c>.</summary>
    string Name { get; }

    Area Area { get; }

    /// <summary>Why it matters, in a sentence or two.</summary>
    string Why { get; }

    /// <summary>The hosts that it judges. Where there are none, the check is left out: nothing can be said.</summary>
    IEnumerable<HostFacts> Subjects(ClusterFacts cluster);

    /// <summary>Judges what was found. Pure: it asks nobody anything.</summary>
    Findings Examine(ClusterFacts cluster);
}
