using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Npgsql;
using ReplicaRouter.Tests;
using ReplicaRouter.Tests.Discovery;

namespace ReplicaRouter.ClusterTests.Tls;

/// <summary>Each fault of a certificate or of its file gives one message that names the fault.</summary>
[Trait("PostgreSQL", "any")]
public class CertificateTests(TlsCluster fixture) : IClassFixture<TlsCluster>
{
    private const string KeyPassword = "p4ss-of-the-key";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [Trait("Failure", "C12")]
    [InlineData(SslMode.VerifyFull)]
    [InlineData(SslMode.VerifyCA)]
    public async Task A_certificate_of_an_unknown_authority_is_reported_as_untrusted(SslMode mode)
    {
        using var other = new TestCertificates();
        Assert.Contains("is not signed by any authority in the file of Root Certificate", await FaultAsync(fixture.Authority.Issue(), mode, other.File), StringComparison.Ordinal);
        Assert.Contains("is not signed by any authority that this machine trusts", await FaultAsync(fixture.Authority.Issue(), mode, root: null), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Failure", "C12")]
    public async Task A_certificate_for_another_host_name_is_reported_as_such()
    {
        Assert.Contains("is for another host name than '127.0.0.1'", await FaultAsync(fixture.Authority.Issue("127.0.0.2"), SslMode.VerifyFull), StringComparison.Ordinal);
        Assert.Null(await FaultAsync(fixture.Authority.Issue("127.0.0.2"), SslMode.VerifyCA));
    }

    /// <summary>Npgsql rejects the name before it reads the file.</summary>
    [Fact]
    [Trait("Failure", "C12")]
    public async Task A_missing_root_certificate_is_reported_even_if_the_host_name_does_not_match()
    {
        var options = new DatabaseRouterOptions();
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = fixture.Cluster.Primary.ConnectionString };
        var host = RouterConfigurationBuilder.Build(options).Hosts[0];
        Verify(host.Connection, SslMode.VerifyFull, "/no/such/file.pem");
        Assert.Contains("Root Certificate (sslrootcert): there is no such file", await CertificateCheck.FaultAsync(host, TimeProvider.System, Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_authority_set_in_code_is_trusted_by_probes_and_pools()
    {
        await fixture.ShowAsync(fixture.Authority.Issue());
        using var authority = X509CertificateLoader.LoadCertificateFromFile(fixture.Authority.File);
        var settings = Verify(new NpgsqlConnectionStringBuilder(fixture.Cluster.Primary.ConnectionString), SslMode.VerifyFull, root: null);
        var options = new DatabaseRouterOptions { ConfigureDataSource = source => source.UseRootCertificate(authority) };
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = settings.ConnectionString };
        await using var router = DatabaseRouter.Create(options);
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
        await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Write, Ct);
        Assert.True(router.GetHealthStatus()["primary"].IsHealthy);
    }

    [Theory]
    [Trait("Failure", "C12")]
    [InlineData("Root Certificate", "Root Certificate (sslrootcert) names a file that does not exist")]
    [InlineData("SSL Certificate", "SSL Certificate (sslcert) names a file that does not exist")]
    [InlineData("SSL Key", "SSL Key (sslkey) names a file that does not exist")]
    public void A_missing_certificate_file_prevents_the_start(string setting, string words)
    {
        using var client = new ClientFiles(fixture.Authority, KeyPassword);
        var fault = Assert.Single(Assert.Throws<DatabaseRouterConfigurationException>(() => Router(settings =>
        {
            client.Apply(Verify(settings, SslMode.VerifyFull, fixture.Authority.File), password: null);
            settings[setting] = Path.Combine(client.Folder, "S3cret-name");
        })).Faults);
        Assert.Contains(words, fault, StringComparison.Ordinal);
        Assert.DoesNotContain("S3cret-name", fault, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Failure", "C12")]
    [InlineData(-10, -1, "expired at ")]
    [InlineData(10, 20, "is not valid before ")]
    public async Task A_certificate_outside_its_validity_period_is_reported_as_such(int since, int until, string words)
    {
        foreach (var mode in (SslMode[])[SslMode.VerifyFull, SslMode.VerifyCA])
        {
            Assert.Contains(words, await FaultAsync(fixture.Authority.Issue(days: until, since: since), mode), StringComparison.Ordinal);
        }
    }

    [Fact]
    [Trait("Failure", "C12")]
    public async Task An_expired_certificate_is_reported_and_a_renewed_one_makes_the_host_serve_again()
    {
        await fixture.ShowAsync(fixture.Authority.Issue());
        await using var router = Router(settings => Verify(settings, SslMode.VerifyFull, fixture.Authority.File));
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
        await fixture.ShowAsync(fixture.Authority.Issue(days: -1));
        await Eventually.Async(
            async () =>
            {
                await Assert.ThrowsAnyAsync<Exception>(() => TwoConnectionsAsync(router));
                return router.GetHealthStatus()["primary"].Error?.Contains("expired at ", StringComparison.Ordinal) == true;
            },
            TimeSpan.FromSeconds(10), "says that the certificate expired");
        await fixture.ShowAsync(fixture.Authority.Issue());
        await Eventually.Async(() => router.GetHealthStatus()["primary"].IsHealthy, TimeSpan.FromSeconds(10), "serves again");
    }

    [Theory]
    [Trait("Failure", "C12")]
    [InlineData("Root Certificate", "no certificate", "Root Certificate (sslrootcert): the file holds no certificate")]
    [InlineData("SSL Certificate", "no certificate", "SSL Certificate (sslcert)")]
    [InlineData("SSL Key", "no key", "hold no certificate and key that belong together")]
    public async Task A_certificate_file_with_other_content_is_a_misconfiguration_of_its_setting(string setting, string content, string words)
    {
        using var client = new ClientFiles(fixture.Authority, KeyPassword);
        var file = Path.Combine(client.Folder, "S3cret-name");
        await File.WriteAllTextAsync(file, content, Ct);
        var fault = await FaultAsync(fixture.Authority.Issue(), SslMode.VerifyFull, fixture.Authority.File, settings =>
        {
            client.Apply(settings, password: null);
            settings[setting] = file;
        });
        Assert.Contains(words, fault, StringComparison.Ordinal);
        Assert.DoesNotContain("S3cret-name", fault, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Failure", "C12")]
    public async Task A_key_password_decrypts_the_key_and_is_neither_logged_nor_shown()
    {
        using var client = new ClientFiles(fixture.Authority, KeyPassword);
        await fixture.ShowAsync(fixture.Authority.Issue());
        using var logger = new RecordingLogger();
        await using var router = Router(settings => client.Apply(Verify(settings, SslMode.VerifyFull, fixture.Authority.File), KeyPassword), logger);
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
        await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Write, cancellationToken: Ct);
        await using var command = new NpgsqlCommand("SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()", (NpgsqlConnection)connection);
        Assert.Equal("/CN=member", await command.ExecuteScalarAsync(Ct));
        Assert.DoesNotContain(KeyPassword, connection.ConnectionString, StringComparison.Ordinal);
        Assert.DoesNotContain(logger.All, line => line.Contains(KeyPassword, StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Failure", "C12")]
    public async Task A_wrong_key_password_is_a_misconfiguration()
    {
        using var client = new ClientFiles(fixture.Authority, KeyPassword);
        var fault = await FaultAsync(fixture.Authority.Issue(), SslMode.VerifyFull, fixture.Authority.File, settings => client.Apply(settings, "wr0ng"));
        Assert.Contains("SSL Password (sslpassword) is wrong", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("wr0ng", fault, StringComparison.Ordinal);
    }

    private static Task<int[]> TwoConnectionsAsync(DatabaseRouter router) => Task.WhenAll(Enumerable.Range(0, 2).Select(_ => router.ExecuteAsync(
        DatabaseOperation.Write, (connection, ct) => new NpgsqlCommand("SELECT pg_sleep(0.2)", connection).ExecuteNonQueryAsync(ct), Ct)));

    private Task<string?> FaultAsync(X509Certificate2 certificate, SslMode mode) => FaultAsync(certificate, mode, fixture.Authority.File);

    private async Task<string?> FaultAsync(X509Certificate2 certificate, SslMode mode, string? root, Action<NpgsqlConnectionStringBuilder>? change = null)
    {
        using var _ = certificate;
        await fixture.ShowAsync(certificate);
        await using var router = Router(settings =>
        {
            Verify(settings, mode, root);
            change?.Invoke(settings);
        });
        try
        {
            await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
            return null;
        }
        catch (DatabaseRouterConfigurationException e)
        {
            Assert.Equal(HostState.Misconfigured, router.GetHealthStatus()["primary"].State);
            return Assert.Single(e.Faults);
        }
    }

    private static NpgsqlConnectionStringBuilder Verify(NpgsqlConnectionStringBuilder settings, SslMode mode, string? root)
    {
        settings.SslMode = mode;
        settings.RootCertificate = root;
        return settings;
    }

    private DatabaseRouter Router(Action<NpgsqlConnectionStringBuilder> change, RecordingLogger? logger = null)
    {
        var settings = new NpgsqlConnectionStringBuilder(fixture.Cluster.Primary.ConnectionString);
        change(settings);
        var options = new DatabaseRouterOptions();
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = settings.ConnectionString };
        return DatabaseRouter.Create(options, logger);
    }

    /// <summary>A client certificate, with its key in plain text and encrypted.</summary>
    private sealed class ClientFiles : IDisposable
    {
        public ClientFiles(TestCertificates authority, string password)
        {
            using var certificate = authority.Issue();
            using var key = certificate.GetECDsaPrivateKey()!;
            File.WriteAllText(Certificate, certificate.ExportCertificatePem());
            File.WriteAllText(Key, key.ExportPkcs8PrivateKeyPem());
            File.WriteAllText(EncryptedKey, key.ExportEncryptedPkcs8PrivateKeyPem(password, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)));
        }

        public string Folder { get; } = Directory.CreateTempSubdirectory("client-certificate-").FullName;

        private string Certificate => Path.Combine(Folder, "client.crt");

        private string Key => Path.Combine(Folder, "client.key");

        private string EncryptedKey => Path.Combine(Folder, "client-encrypted.key");

        public void Apply(NpgsqlConnectionStringBuilder settings, string? password)
        {
            settings.SslCertificate = Certificate;
            settings.SslKey = password is null ? Key : EncryptedKey;
            settings.SslPassword = password;
        }

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
