namespace ReplicaRouter;

/// <summary>Whose password is asked for.</summary>
/// <param name="Host">The host's name, as in <c>analytics</c>.</param>
/// <param name="Address">The server's address, as the connection string gives it.</param>
/// <param name="Port">The server's port.</param>
/// <param name="Username">The user, or <see langword="null"/> when the connection string names none.</param>
/// <param name="Database">The database, or <see langword="null"/> likewise.</param>
public readonly record struct PasswordRequest(string Host, string Address, int Port, string? Username, string? Database);
