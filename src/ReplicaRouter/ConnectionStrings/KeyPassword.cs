using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Npgsql;

namespace ReplicaRouter.ConnectionStrings;

/// <summary>
/// Keeps the password of a client certificate's key out of the data source's connection string, which Npgsql shows to callers and logs: Npgsql removes only the role's
/// password.
/// </summary>
internal static class KeyPassword
{
    public static void Hide(NpgsqlDataSourceBuilder builder)
    {
        var settings = builder.ConnectionStringBuilder;
        if (settings is not { SslPassword: { Length: > 0 } password, SslCertificate: { } file }) return;
        var key = settings.SslKey;
        settings.Remove("SSL Password");
        settings.Remove("SSL Certificate");
        settings.Remove("SSL Key");
        // Loaded at each login, as Npgsql does: the files can have been replaced.
        builder.UseSslClientAuthenticationOptionsCallback(options => options.ClientCertificateContext = Load(file, key, password));
    }

    /// <summary>Loads the client's certificate with its key, and the intermediate certificates up to the authority that the server knows.</summary>
    private static SslStreamCertificateContext Load(string file, string? key, string password)
    {
        X509Certificate2Collection certificates;
        if (Path.GetExtension(file).Equals(".pfx", StringComparison.OrdinalIgnoreCase))
        {
            certificates = X509CertificateLoader.LoadPkcs12CollectionFromFile(file, password);
        }
        else
        {
            certificates = [];
            certificates.ImportFromPemFile(file);
            certificates[0] = X509Certificate2.CreateFromEncryptedPemFile(file, password, key);
        }

        return SslStreamCertificateContext.Create(certificates[0], [.. certificates.Skip(1)]);
    }
}
