namespace ReplicaRouter.Testing;

/// <summary>One streaming replica of a <see cref="LocalCluster"/>.</summary>
public sealed class LocalReplicaOptions
{
    /// <summary>Its name in the cluster, also its <c>application_name</c> at the server it streams from.</summary>
    /// <value>Lower-case letters, digits and dashes, a letter first, at most 40.</value>
    public required string Name { get; init; }

    /// <summary>The replica that it streams from (cascading replication).</summary>
    /// <value>Default <see langword="null"/>: the primary.</value>
    public string? Upstream { get; init; }

    /// <summary>Whether a commit on the primary waits until this replica has it. Not together with <see cref="Upstream"/>.</summary>
    /// <value>Default <see langword="false"/>.</value>
    public bool IsSynchronous { get; init; }
}
