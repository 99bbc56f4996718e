using System.Security.Cryptography;
using Npgsql;

namespace ReplicaRouter.Configuration;

/// <summary>Finds which certificate or key file made a login fail. Messages name the setting, never the path, which can be any misplaced value.</summary>
internal static class CertificateFiles
{
    private const string RootSetting = "Root Certificate (sslrootcert)";
    private const string CertificateSetting = "SSL Certificate (sslcert)";
    private const string KeySetting = "SSL Key (sslkey)";

    /// <summary>Returns the settings whose file does not exist, or is not visible to this process.</summary>
    public static IEnumerable<string> Missing(NpgsqlConnectionStringBuilder settings)
    {
        (string Setting, string? Path)[] named = [(RootSetting, settings.RootCertificate), (CertificateSetting, settings.SslCertificate), (KeySetting, settings.SslKey)];
        return named.Where(each => !string.IsNullOrEmpty(each.Path) && !File.Exists(each.Path)).Select(each => each.Setting);
    }

    /// <summary>Whether a login failed because of a file on this machine.</summary>
    public static bool IsCause(Exception exception) => (exception is NpgsqlException { InnerException: { } inner } ? inner : exception)
        is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException or CryptographicException;

    /// <summary>Describes a failure for which <see cref="IsCause"/> holds: of the CA file, or of the client's own files.</summary>
    public static string Describe(Exception exception, HostConfiguration host, bool isRoot = false)
    {
        // Npgsql reads the CA file in the handshake, which wraps the exception, and the client's own files before that.
        if (exception is NpgsqlException { InnerException: { } inner }) return Describe(inner, host, isRoot: true);
        var setting = !isRoot ? Client(host.Connection, exception) : host.Connection.RootCertificate is null ? "PGSSLROOTCERT" : RootSetting;
        return $"{host.Endpoint}: {setting}: " + exception switch
        {
            UnauthorizedAccessException => "this process has no permission to read the file.",
            CryptographicException when isRoot => $"the file holds no certificate. Correct the setting in {host.Source}, or put the authority's certificate there.",
            CryptographicException => $"the files hold no certificate and key that belong together, or SSL Password (sslpassword) is wrong. Correct them in {host.Source}.",
            _ => $"there is no such file. Correct the setting in {host.Source}, or put the file there.",
        };
    }

    private static string Client(NpgsqlConnectionStringBuilder settings, Exception cause)
    {
        var certificate = settings.SslCertificate is null ? "PGSSLCERT" : CertificateSetting;
        var key = settings.SslKey is null ? "PGSSLKEY" : KeySetting;
        if (cause is not IOException) return settings.SslKey is null ? certificate : $"{certificate} or {key}";
        return settings.SslCertificate is null || !File.Exists(settings.SslCertificate) ? certificate : key;
    }
}
