using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ReplicaRouter.Tests.Discovery;

/// <summary>A private certificate authority, as companies run one: without a revocation list or OCSP.</summary>
internal sealed class TestCertificates : IDisposable
{
    private static readonly DateTimeOffset s_now = TimeProvider.System.GetUtcNow();
    private readonly X509Certificate2 _authority;

    public TestCertificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        _authority = request.CreateSelfSigned(s_now.AddYears(-3), s_now.AddYears(3));
        File = Path.GetTempFileName();
        System.IO.File.WriteAllText(File, _authority.ExportCertificatePem());
    }

    /// <summary>Path of the authority's certificate, in PEM format.</summary>
    public string File { get; }

    /// <summary>Issues a certificate with its key, for a server or a client.</summary>
    /// <param name="address">The IP address that it certifies.</param>
    /// <param name="days">Days from now until it expires; negative if it has expired.</param>
    /// <param name="since">Days from now until it becomes valid; negative if it already is.</param>
    public X509Certificate2 Issue(string address = "127.0.0.1", int days = 30, int since = -730)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=member", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Parse(address));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        using var certificate = request.Create(_authority, s_now.AddDays(since), s_now.AddDays(days), RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }

    public void Dispose()
    {
        _authority.Dispose();
        System.IO.File.Delete(File);
    }
}
