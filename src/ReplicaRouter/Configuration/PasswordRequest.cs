namespace ReplicaRouter;

/// <summary>Whose password is asked for.</summary>
public sealed record PasswordRequest
{
    /// <summary>The host's name, as in <c>analytics</c>.</summary>
    public required string Host { get; init; }

    /// <summary>The server's address, as the connection string gives it.</summary>
    public required string Address { get; init; }

    /// <summary>The server's port.</summary>
    public int Port { get; init; }

    /// <summary>The user, or <see langword="null"/> when the connection string names none.</summary>
    public string? Username { get; init; }

    /// <summary>The database, or <see langword="null"/> when the connection string names none.</summary>
    public string? Database { get; init; }
}
