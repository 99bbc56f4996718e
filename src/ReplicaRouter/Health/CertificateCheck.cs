using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Npgsql;

namespace ReplicaRouter.Health;

/// <summary>Finds out what is wrong with a server's certificate, which Npgsql does not report. Repeats the handshake under the same rules and sends nothing else.</summary>
/// <remarks>Source: PostgreSQL manual, "Message Flow", "SSL Session Encryption".</remarks>
internal static class CertificateCheck
{
    /// <summary>Its length, 8, and its code, 80877103.</summary>
    private static readonly byte[] s_sslRequest = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F];

    public static bool IsRefusal(Exception exception, NpgsqlConnectionStringBuilder settings) =>
        settings.SslMode is SslMode.VerifyCA or SslMode.VerifyFull && exception is NpgsqlException { InnerException: AuthenticationException };

    /// <returns>The fault, for people; null if it can't be determined.</returns>
    public static async Task<string?> FaultAsync(HostConfiguration host, TimeProvider time, CancellationToken cancellationToken)
    {
        string? fault = null;
        X509ChainPolicy? policy = null;
        try
        {
            policy = Policy(host.Connection);
            using var client = new TcpClient();
            await client.ConnectAsync(host.Connection.Host!, host.Connection.Port, cancellationToken).ConfigureAwait(false);
            var isDirect = host.Connection.SslNegotiation == SslNegotiation.Direct;
            if (!isDirect && !await OffersTlsAsync(client.GetStream(), cancellationToken).ConfigureAwait(false)) return null;
            var tls = new SslStream(client.GetStream());
            await using var _ = tls.ConfigureAwait(false);
            var options = new SslClientAuthenticationOptions
            {
                TargetHost = host.Connection.Host,
                ApplicationProtocols = [new SslApplicationProtocol("postgresql")],
                CertificateChainPolicy = policy,
                RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                {
                    fault = Fault(host, (X509Certificate2?)certificate, chain, errors, time.GetUtcNow());
                    return false;
                },
            };
            await tls.AuthenticateAsClientAsync(options, cancellationToken).ConfigureAwait(false);
        }
        // Npgsql refuses a certificate with another name before it reads the CA file.
        catch (Exception e) when (policy is null && CertificateFiles.IsCause(e))
        {
            return CertificateFiles.Describe(e, host, isRoot: true);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The callback always refuses the handshake. On any other failure here, Npgsql's own error is reported.
        }

        return fault;
    }

    private static async Task<bool> OffersTlsAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(s_sslRequest, cancellationToken).ConfigureAwait(false);
        var answer = new byte[1];
        await stream.ReadExactlyAsync(answer, cancellationToken).ConfigureAwait(false);
        return answer[0] == 'S';
    }

    private static X509ChainPolicy Policy(NpgsqlConnectionStringBuilder settings)
    {
        var policy = new X509ChainPolicy { RevocationMode = settings.CheckCertificateRevocation ? X509RevocationMode.Online : X509RevocationMode.NoCheck };
        if (RootFile(settings) is not { } file) return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.ImportFromPemFile(file);
        // Npgsql does the same, regardless of the file's extension.
        if (policy.CustomTrustStore.Count == 0) policy.CustomTrustStore.Add(X509CertificateLoader.LoadPkcs12FromFile(file, password: null));
        return policy;
    }

    private static string? RootFile(NpgsqlConnectionStringBuilder settings) => settings.RootCertificate ?? Environment.GetEnvironmentVariable("PGSSLROOTCERT");

    private static string? Fault(HostConfiguration host, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, DateTimeOffset now)
    {
        if (certificate is null || chain is null) return $"{host.Endpoint} presents no certificate.";
        if (host.Connection.SslMode == SslMode.VerifyFull && errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return $"the certificate of {host.Endpoint} is for another host name than '{host.Connection.Host}'. Correct the host in {host.Source}, or the server's certificate.";
        }

        var status = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status);
        if (status.HasFlag(X509ChainStatusFlags.NotTimeValid)) return OutOfTime(host, chain, now);
        // An authority with the same name but another key shows as an invalid signature.
        if ((status & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid)) != 0)
        {
            return $"the certificate of {host.Endpoint} is not signed by any authority " + (RootFile(host.Connection) is null
                ? $"that this machine trusts. Set Root Certificate (sslrootcert) in {host.Source} to the file of your authority."
                : $"in the file of Root Certificate (sslrootcert). Correct the setting in {host.Source}, or the server's certificate.");
        }

        return status == X509ChainStatusFlags.NoError ? null : $"the certificate of {host.Endpoint} is not valid: {status}.";
    }

    private static string OutOfTime(HostConfiguration host, X509Chain chain, DateTimeOffset now)
    {
        var certificates = chain.ChainElements.Select(element => element.Certificate).ToList();
        var wrong = certificates.FirstOrDefault(certificate => certificate.NotAfter < now || certificate.NotBefore > now, certificates[0]);
        var which = ReferenceEquals(wrong, certificates[0]) ? "the certificate" : "a CA certificate in the chain";
        return wrong.NotBefore > now
            ? string.Create(CultureInfo.InvariantCulture, $"{which} of {host.Endpoint} is not valid before {wrong.NotBefore.ToUniversalTime():u}. Correct it, or the clock of this machine.")
            : string.Create(CultureInfo.InvariantCulture, $"{which} of {host.Endpoint} expired at {wrong.NotAfter.ToUniversalTime():u}. Renew it on the server.");
    }
}
