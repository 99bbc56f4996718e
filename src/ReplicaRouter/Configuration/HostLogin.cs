using Npgsql;

namespace ReplicaRouter.Configuration;

/// <summary>What the application gives for logins, beside connection strings.</summary>
/// <param name="PasswordProvider">Gives passwords; null where connection strings hold them.</param>
/// <param name="Configure">Configures each data source; null for none.</param>
/// <param name="Router">The router's name; null for the one without.</param>
internal readonly record struct HostLogin(Func<PasswordRequest, CancellationToken, ValueTask<string>>? PasswordProvider, Action<NpgsqlDataSourceBuilder>? Configure, string? Router = null);
