using Npgsql;

namespace ReplicaRouter.Discovery;

/// <summary>How the router logs in to a host that only a source vouches for.</summary>
/// <remarks>
/// The host gets the primary's user and password, so an attacker who can change a source's answer can have them asked for in clear. With SCRAM a server learns neither
/// the password nor a hash that it could log in with, and the router refuses one that does not know the password itself.
/// </remarks>
internal static class DiscoveredLogin
{
    /// <summary>As Npgsql writes it in <c>Require Auth</c>.</summary>
    public const string Scram = "ScramSHA256";

    public static NpgsqlConnectionStringBuilder Of(NpgsqlConnectionStringBuilder primary, DiscoveredHost host, AllowedHosts allowed)
    {
        var settings = new NpgsqlConnectionStringBuilder(primary.ConnectionString) { Host = host.Address, Port = host.Port };
        if (settings.RequireAuth is null && !HasProof(settings, allowed)) settings.RequireAuth = Scram;
        return settings;
    }

    /// <summary>Whether a server's certificate proves that it is one of ours.</summary>
    /// <remarks>A public authority certifies an attacker's own names as well, so that its certificates prove something of allowed names only.</remarks>
    public static bool HasProof(NpgsqlConnectionStringBuilder settings, AllowedHosts allowed) => settings.SslMode switch
    {
        SslMode.VerifyFull => settings.RootCertificate is not null || !allowed.AreAny,
        SslMode.VerifyCA => settings.RootCertificate is not null,
        _ => false,
    };

    /// <summary>Whether nothing keeps sources from naming a server that is not ours.</summary>
    public static bool IsUnguarded(RouterConfiguration configuration) =>
        !configuration.Sources.IsEmpty && configuration.Discovery.Allowed.AreAny && !HasProof(configuration.Hosts[0].Connection, configuration.Discovery.Allowed);
}
