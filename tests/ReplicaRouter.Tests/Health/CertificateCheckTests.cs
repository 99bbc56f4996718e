using System.Security.Authentication;
using Npgsql;

namespace ReplicaRouter.Tests.Health;

public class CertificateCheckTests
{
    [Theory]
    [InlineData(SslMode.VerifyFull, true)]
    [InlineData(SslMode.VerifyCA, true)]
    [InlineData(SslMode.Require, false)]
    [InlineData(SslMode.Prefer, false)]
    public void Only_a_setting_that_verifies_certificates_can_refuse_one(SslMode mode, bool isRefusal)
    {
        var settings = new NpgsqlConnectionStringBuilder { SslMode = mode };
        Assert.Equal(isRefusal, CertificateCheck.IsRefusal(new NpgsqlException("handshake", new AuthenticationException()), settings));
        Assert.False(CertificateCheck.IsRefusal(new NpgsqlException("handshake", new IOException()), settings));
    }
}
