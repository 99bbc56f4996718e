using System.Security.Cryptography.X509Certificates;
using Dapper;
using Npgsql;
using ReplicaRouter.Testing;
using ReplicaRouter.Tests.Discovery;

namespace ReplicaRouter.ClusterTests.Tls;

/// <summary>A server with TLS whose certificate tests replace.</summary>
public sealed class TlsCluster : IAsyncLifetime
{
    public LocalCluster Cluster { get; private set; } = null!;

    internal TestCertificates Authority { get; } = new();

    public async ValueTask InitializeAsync()
    {
        Cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [] }, TestContext.Current.CancellationToken);
        using var certificate = Authority.Issue();
        await ShowAsync(certificate);
    }

    public async ValueTask DisposeAsync()
    {
        await Cluster.DisposeAsync();
        Authority.Dispose();
    }

    /// <summary>Makes the server present a certificate from the next login on. The server writes the files itself, because it must own them.</summary>
    internal async Task ShowAsync(X509Certificate2 certificate)
    {
        await using var connection = new NpgsqlConnection(Cluster.Primary.SuperuserConnectionString);
        await WriteAsync(connection, "server.crt", certificate.ExportCertificatePem());
        await WriteAsync(connection, "server.key", certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await WriteAsync(connection, "client-authority.crt", await File.ReadAllTextAsync(Authority.File));
        foreach (var setting in (string[])["ssl = on", "ssl_ca_file = 'client-authority.crt'"]) await connection.ExecuteAsync($"ALTER SYSTEM SET {setting}");
        await connection.ExecuteAsync("SELECT pg_reload_conf()");
        await Eventually.Async(() => IsShownAsync(certificate), TimeSpan.FromSeconds(10), "the certificate is presented");
    }

    private static Task<int> WriteAsync(NpgsqlConnection connection, string file, string text) =>
        connection.ExecuteAsync($"COPY (SELECT regexp_split_to_table('{text}', '\\n')) TO PROGRAM 'umask 077; cat > {file}'");

    private async Task<bool> IsShownAsync(X509Certificate2 certificate)
    {
        var shown = "";
        var builder = new NpgsqlDataSourceBuilder(Cluster.Primary.SuperuserConnectionString + ";SSL Mode=Require");
        builder.UseSslClientAuthenticationOptionsCallback(options => options.RemoteCertificateValidationCallback = (_, server, _, _) => (shown = server!.GetCertHashString()).Length > 0);
        await using var dataSource = builder.Build();
        try
        {
            await using var connection = await dataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        }
        catch (NpgsqlException)
        {
            // TLS is not enabled yet.
        }

        return shown == certificate.GetCertHashString();
    }
}
