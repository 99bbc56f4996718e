namespace ReplicaRouter.Testing;

/// <summary>A local cluster could not be started or changed. The message says why and what to do, with the last lines of
/// the server's log where they help; it never holds a password.</summary>
public sealed class LocalClusterException : Exception
{
    /// <summary>An exception with a message.</summary>
    public LocalClusterException(string message) : base(message)
    {
    }

    /// <summary>An exception with a message and a cause.</summary>
    public LocalClusterException(string message, Exception? innerException) : base(message, innerException)
    {
    }

    /// <summary>An exception without details.</summary>
    public LocalClusterException()
    {
    }
}
