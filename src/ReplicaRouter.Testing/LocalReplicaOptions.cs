namespace ReplicaRouter.Testing;

/// <summary>One streaming replica of a <see cref="LocalCluster"/>.</summary>
public sealed class LocalReplicaOptions
{
    /// <summary>The replica's name in the cluster, and its <c>application_name</c> at the server that it streams from.</summary>
    /// <value>1 to 40 lower-case letters, digits and dashes, starting with a letter.</value>
    public required string Name { get; init; }

    /// <summary>The server that the replica streams from (cascading replication).</summary>
    /// <value>Default <see langword="null"/>: the primary.</value>
    public string? Upstream { get; init; }

    /// <summary>Whether a commit on the primary waits until this replica has it. Not together with <see cref="Upstream"/>.</summary>
    /// <value>Default <see langword="false"/>.</value>
    public bool IsSynchronous { get; init; }
}
