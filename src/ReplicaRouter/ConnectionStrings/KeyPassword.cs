using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Npgsql;

namespace ReplicaRouter.ConnectionStrings;

/// <summary>
/// Keeps the password of a client certificate's key out of the connection string of Npgsql's data source, which Npgsql shows to callers and writes to its log: it
/// takes out the password of the role only.
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
        // At each login, as Npgsql does: the files may have been replaced.
        builder.UseSslClientAuthenticationOptionsCallback(options => options.ClientCertificateContext = Load(file, key, password));
    }

    /// <summary>The client's certificate with its key, and those of the authorities between it and the one that the server knows.</summary>
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
