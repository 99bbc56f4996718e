namespace ReplicaRouter.Testing;

/// <summary>A local cluster could not be started or changed. The message says why and what to do, with the last lines of
/// the server's log where they help. It never contains a password.</summary>
public sealed class LocalClusterException : Exception
{
    /// <summary>Creates an exception with a message.</summary>
    public LocalClusterException(string message) : base(message)
    {
    }

    /// <summary>Creates an exception with a message and a cause.</summary>
    public LocalClusterException(string message, Exception? innerException) : base(message, innerException)
    {
    }

    /// <summary>Creates an exception without details.</summary>
    public LocalClusterException()
    {
    }
}
