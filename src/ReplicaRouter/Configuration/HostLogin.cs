using Npgsql;

namespace ReplicaRouter.Configuration;

/// <summary>What the application provides for logins, besides connection strings.</summary>
/// <param name="PasswordProvider">Returns passwords; null if connection strings contain them.</param>
/// <param name="Configure">Configures each data source; null if not needed.</param>
/// <param name="Router">The router's name; null for the unnamed one.</param>
internal readonly record struct HostLogin(Func<PasswordRequest, CancellationToken, ValueTask<string>>? PasswordProvider, Action<NpgsqlDataSourceBuilder>? Configure, string? Router);
