using Npgsql;

namespace ReplicaRouter.Discovery;

/// <summary>The login to a host that only a discovery source vouches for.</summary>
/// <remarks>
/// The router logs in with the primary's user and password, so an attacker who can change a source's answer could request the password in clear text. With SCRAM, a
/// server learns neither the password nor a hash that it could log in with, and the router refuses a server that does not know the password.
/// </remarks>
internal static class DiscoveredLogin
{
    /// <summary>The value of Npgsql's <c>Require Auth</c>.</summary>
    public const string Scram = "ScramSHA256";

    public static NpgsqlConnectionStringBuilder Of(NpgsqlConnectionStringBuilder primary, DiscoveredHost host, AllowedHosts allowed)
    {
        var settings = new NpgsqlConnectionStringBuilder(primary.ConnectionString) { Host = host.Address, Port = host.Port };
        if (settings.RequireAuth is null && !HasProof(settings, allowed)) settings.RequireAuth = Scram;
        return settings;
    }

    /// <summary>Whether a server's certificate proves that it is one of ours.</summary>
    /// <remarks>A public authority also certifies an attacker's own names, so its certificates are proof only for allowed names.</remarks>
    public static bool HasProof(NpgsqlConnectionStringBuilder settings, AllowedHosts allowed) => settings.SslMode switch
    {
        SslMode.VerifyFull => settings.RootCertificate is not null || !allowed.AreAny,
        SslMode.VerifyCA => settings.RootCertificate is not null,
        _ => false,
    };

    /// <summary>Whether nothing prevents sources from naming a server that is not ours.</summary>
    public static bool IsUnguarded(RouterConfiguration configuration) =>
        !configuration.Sources.IsEmpty && configuration.Discovery.Allowed.AreAny && !HasProof(configuration.Hosts[0].Connection, configuration.Discovery.Allowed);
}
