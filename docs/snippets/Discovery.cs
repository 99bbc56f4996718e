namespace Snippets.Discovery;

internal static class Passwords
{
    public static void Rotate(IHostApplicationBuilder builder, Vault vault)
    {
        #region
        builder.AddReplicaRouter(options => options.PasswordProvider = async (request, ct) => await vault.GetPasswordAsync(request.Username, ct));
        #endregion
    }

    internal abstract class Vault
    {
        public abstract Task<string> GetPasswordAsync(string? user, CancellationToken ct);
    }
}

#region
internal sealed class RegistrySource(Registry registry) : IHostDiscoverySource
{
    public string Name => "registry";

    public async Task<DiscoveryResult> FindHostsAsync(CancellationToken ct) =>
        new([.. (await registry.ListAsync("postgres", ct)).Select(server => new DiscoveredHost(server.Address, 5432) { Name = server.Id })]);
}
#endregion

internal abstract class Registry
{
    public abstract Task<IReadOnlyList<(string Id, string Address)>> ListAsync(string service, CancellationToken ct);
}
