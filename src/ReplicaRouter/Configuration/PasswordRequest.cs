namespace ReplicaRouter;

/// <summary>The login that needs a password.</summary>
public sealed record PasswordRequest
{
    /// <summary>The host's name, such as <c>analytics</c>.</summary>
    public required string Host { get; init; }

    /// <summary>The server's address, as in the connection string.</summary>
    public required string Address { get; init; }

    /// <summary>The server's port.</summary>
    public int Port { get; init; }

    /// <summary>The user, or <see langword="null"/> if the connection string names none.</summary>
    public string? Username { get; init; }

    /// <summary>The database, or <see langword="null"/> if the connection string names none.</summary>
    public string? Database { get; init; }
}
