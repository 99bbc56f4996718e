namespace ReplicaRouter.ClusterTests.Urls;

/// <summary>
/// A URL means to the router what it means to psql, or is refused with the name of what is not supported. A row with a parameter that the installed libpq does not know
/// yet compares nothing; <c>./test</c> runs these tests with two versions.
/// </summary>
public class ConnectionUrlTests
{
    /// <summary>The first version that knows <c>sslrootcert=system</c>.</summary>
    private const int Version16 = 160000;

    [Theory]
    [Trait("Failure", "C12")]
    // Users, passwords and databases.
    [InlineData("postgresql://db")]
    [InlineData("postgres://db/")]
    [InlineData("postgresql://db?")]
    [InlineData("postgresql://db/?")]
    [InlineData("postgresql://db/shop")]
    [InlineData("postgresql://app@db/shop")]
    [InlineData("postgresql://app:s3cret@db:6000/shop")]
    [InlineData("postgresql://app:@db/shop")]
    [InlineData("postgresql://:s3cret@db/shop")]
    [InlineData("postgresql://@db/shop")]
    [InlineData("postgresql://us%40er:p%40ss%3A%2F%3F%23%25%26@db/sh%20op")]
    [InlineData("postgresql://%C3%A9:%E2%82%AC@db/caf%C3%A9")]
    [InlineData("postgresql://app:a+b@db/shop")]
    [InlineData("postgresql://app:a:b@db/shop")]
    [InlineData("postgresql://db?user=app&password=s3cret&dbname=shop")]
    [InlineData("postgresql://first:1@db/one?user=app&password=s3cret&dbname=shop")]
    [InlineData("postgresql://app:s3cret@db/shop?user=&password=&dbname=")]
    [InlineData("postgresql://db/shop?user=a%40b")]
    [InlineData("postgresql://db/shop?%75ser=app")]
    [InlineData("postgresql://db/shop?passfile=/home/app/.pgpass")]
    // Hosts and ports.
    [InlineData("postgresql://a,b,c/shop")]
    [InlineData("postgresql://a:1,b:2,c:3/shop")]
    [InlineData("postgresql://a:1,b,c:3/shop")]
    [InlineData("postgresql://a,b:2/shop")]
    [InlineData("postgresql://a:1,b/shop")]
    [InlineData("postgresql://a:/shop")]
    [InlineData("postgresql://db-1.internal_net.:6000/shop")]
    [InlineData("postgresql://10.0.0.7:6000/shop")]
    [InlineData("postgresql://[::1]/shop")]
    [InlineData("postgresql://[2001:db8::1]:6000,[::1],db:1/shop")]
    [InlineData("postgresql://%3A%3A1/shop")]
    [InlineData("postgresql:///shop?host=::1")]
    [InlineData("postgresql://?host=db")]
    [InlineData("postgresql:///shop?host=db&port=6000")]
    [InlineData("postgresql:///shop?host=a,b&port=1,2")]
    [InlineData("postgresql:///shop?port=1,2&host=a,b")]
    [InlineData("postgresql:///shop?host=a,b&port=6000")]
    [InlineData("postgresql:///shop?host=a,b&port=,2")]
    [InlineData("postgresql://a,b/shop?port=1,2")]
    [InlineData("postgresql://a,b/shop?port=6000")]
    [InlineData("postgresql://a:1,b:2/shop?host=c,d")]
    [InlineData("postgresql://x:6000/shop?host=a,b")]
    [InlineData("postgresql://x:6000/shop?port=7000")]
    [InlineData("postgresql://db:6000/shop?port=")]
    [InlineData("postgresql://db:6000/shop?port=1&port=2")]
    [InlineData("postgresql://one/shop?host=two&host=three")]
    [InlineData("postgresql:///shop?hostaddr=10.0.0.7")]
    [InlineData("postgresql://:6000/shop?hostaddr=10.0.0.7,::1")]
    [InlineData("postgresql://db/shop?hostaddr=")]
    // Unix sockets.
    [InlineData("postgresql://%2Fvar%2Frun%2Fpostgresql/shop")]
    [InlineData("postgresql://%2Fvar%2Frun%2Fpostgresql:6000/shop")]
    [InlineData("postgresql://app@%2Ftmp,db:6000/shop")]
    [InlineData("postgresql:///shop?host=/var/run/postgresql")]
    [InlineData("postgresql:///shop?host=%2Fvar%2Frun%2Fpostgresql&port=6000")]
    [InlineData("postgresql://:6000/shop?host=/tmp")]
    [InlineData("postgresql:///shop?host=/tmp,/var/run/postgresql&port=1,2")]
    // TLS and authentication.
    [InlineData("postgresql://db/shop?sslmode=disable")]
    [InlineData("postgresql://db/shop?sslmode=allow")]
    [InlineData("postgresql://db/shop?sslmode=prefer")]
    [InlineData("postgresql://db/shop?sslmode=require")]
    [InlineData("postgresql://db/shop?sslmode=verify-ca")]
    [InlineData("postgresql://db/shop?sslmode=verify-full")]
    [InlineData("postgresql://db/shop?ssl=true")]
    [InlineData("postgresql://db/shop?ssl=true&sslmode=disable")]
    [InlineData("postgresql://db/shop?sslmode=disable&sslmode=require")]
    [InlineData("postgresql://db/shop?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem")]
    [InlineData("postgresql://db/shop?sslmode=require&sslrootcert=/etc/ssl/ca.pem")]
    [InlineData("postgresql://db/shop?sslmode=require&sslrootcert=")]
    [InlineData("postgresql://db/shop?sslrootcert=/etc/ssl/ca.pem")]
    [InlineData("postgresql://db/shop?sslrootcert=system")]
    [InlineData("postgresql://db/shop?sslmode=verify-full&sslrootcert=system")]
    [InlineData("postgresql://db/shop?sslcert=/c.pem&sslkey=/k.pem&sslpassword=s3cret")]
    [InlineData("postgresql://db/shop?sslcert=&sslkey=&sslpassword=")]
    [InlineData("postgresql://db/shop?sslnegotiation=postgres")]
    [InlineData("postgresql://db/shop?sslnegotiation=direct&sslmode=require")]
    [InlineData("postgresql://db/shop?channel_binding=require")]
    [InlineData("postgresql://db/shop?channel_binding=disable")]
    [InlineData("postgresql://db/shop?gssencmode=disable&krbsrvname=pg")]
    [InlineData("postgresql://db/shop?require_auth=scram-sha-256")]
    [InlineData("postgresql://db/shop?require_auth=!password,!md5")]
    [InlineData("postgresql://db/shop?require_auth=gss,sspi,none")]
    [InlineData("postgresql://db/shop?require_auth=")]
    // Other parameters.
    [InlineData("postgresql://db/shop?options=-c%20search_path%3Dx")]
    [InlineData("postgresql://db/shop?options=")]
    [InlineData("postgresql://db/shop?application_name=my%20app")]
    [InlineData("postgresql://db/shop?application_name=%20my%20app%20")]
    [InlineData("postgresql://db/shop?application_name=one&application_name=two")]
    [InlineData("postgresql://db/shop?fallback_application_name=one&fallback_application_name=two")]
    [InlineData("postgresql://db/shop?fallback_application_name=shop&application_name=own")]
    [InlineData("postgresql://db/shop?application_name=own&fallback_application_name=shop")]
    [InlineData("postgresql://db/shop?application_name=&fallback_application_name=shop")]
    [InlineData("postgresql://db/shop?connect_timeout=3")]
    [InlineData("postgresql://db/shop?connect_timeout=0&")]
    [InlineData("postgresql://db/shop?client_encoding=UTF8")]
    [InlineData("postgresql://db/shop?client_encoding=")]
    [InlineData("postgresql://db/shop?keepalives=1")]
    [InlineData("postgresql://db/shop?keepalives=2")]
    [InlineData("postgresql://db/shop?keepalives=0&keepalives_idle=9&keepalives_interval=3")]
    [InlineData("postgresql://db/shop?keepalives_idle=9&keepalives_interval=3")]
    [InlineData("postgresql://a,b/shop?target_session_attrs=read-write")]
    [InlineData("postgresql://db/shop?target_session_attrs=prefer-standby")]
    [InlineData("postgresql://a,b/shop?load_balance_hosts=random")]
    public void A_URL_means_the_same_as_to_libpq(string url)
    {
        if (!IsKnown(url)) return;
        var stated = Libpq.Parse(url);
        Assert.NotNull(stated);
        LibpqAnswer.AssertSame(stated, ConnectionStringParser.Parse(url));
    }

    [Theory]
    [Trait("Failure", "C12")]
    [InlineData("postgresql://", "names no host")]
    [InlineData("postgresql:///shop", "names no host")]
    [InlineData("postgresql://a,,b/shop", "names no host")]
    [InlineData("postgresql://db/shop?host=", "names no host")]
    [InlineData("postgresql://db/shop?host=a,", "names no host")]
    [InlineData("postgresql:///shop?host=db:6000", "'host'")]
    [InlineData("postgresql:///shop?host=[::1]", "'host'")]
    [InlineData("postgresql:///shop?host=@abstract", "@")]
    [InlineData("postgresql://a%2Cb/shop", "a host")]
    [InlineData("postgresql://db/shop?hostaddr=10.0.0.7", "'hostaddr'")]
    [InlineData("postgresql:///shop?host=db&hostaddr=10.0.0.7", "'hostaddr'")]
    [InlineData("postgresql:///shop?hostaddr=10.0.0.7&sslmode=verify-full", "'hostaddr'")]
    [InlineData("postgresql://app:a@b@db/shop", "an unencoded @")]
    [InlineData("postgresql://app:s3?cret@db/shop", "an unencoded @")]
    [InlineData("postgresql://db/sh/op", "an unencoded /")]
    [InlineData("postgresql://app:s3#cret@db/shop", "an unencoded #")]
    [InlineData("postgresql://db/shop?application_name= app", "%20")]
    [InlineData("postgresql://db /shop", "an unencoded space")]
    [InlineData("postgresql://db/shop?keepalives_interval=3", "keepalives_interval")]
    [InlineData("postgresql://db/shop?keepalives_count=3", "'keepalives_count'")]
    [InlineData("postgresql://db/shop?client_encoding=auto", "'client_encoding=auto'")]
    [InlineData("postgresql://db/shop?require_auth=oauth", "'require_auth'")]
    [InlineData("postgresql://db/shop?connect_timeout=-1", "'connect_timeout'")]
    [InlineData("postgresql://db/shop?connect_timeout=5000", "'connect_timeout'")]
    [InlineData("postgresql://db/shop?requiressl=1", "'requiressl'")]
    [InlineData("postgresql://db/shop?sslcrl=/crl.pem", "'sslcrl'")]
    [InlineData("postgresql://db/shop?ssl_min_protocol_version=TLSv1.3", "'ssl_min_protocol_version'")]
    [InlineData("postgresql://db/shop?service=shop", "'service'")]
    [InlineData("postgresql://db/shop?tcp_user_timeout=3000", "'tcp_user_timeout'")]
    public void What_libpq_accepts_and_Npgsql_lacks_is_refused_by_name(string url, string words)
    {
        if (IsKnown(url)) Assert.NotNull(Libpq.Parse(url));
        Assert.Contains(words, RefusalOf(url), StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Failure", "C12")]
    [InlineData("POSTGRESQL://db/shop")]
    [InlineData("postgresql:/db/shop")]
    [InlineData("postgresql://[]/shop")]
    [InlineData("postgresql://[::1/shop")]
    [InlineData("postgresql://[::1]x/shop")]
    [InlineData("postgresql://app:s3cret%zz@db/shop")]
    [InlineData("postgresql://app:s3cret%2@db/shop")]
    [InlineData("postgresql://db/shop?user=a%00b")]
    [InlineData("postgresql://db/shop?sslmode")]
    [InlineData("postgresql://db/shop?options=-c%20a=b")]
    [InlineData("postgresql://db/shop?&")]
    [InlineData("postgresql://db/shop?&user=app")]
    [InlineData("postgresql://db/shop?user=app&&dbname=shop")]
    [InlineData("postgresql://db/shop?ssl=false")]
    [InlineData("postgresql://db/shop?sslmod=require")]
    [InlineData("postgresql://db/shop?DBNAME=shop")]
    public void A_URL_that_libpq_cannot_read_is_refused(string url)
    {
        Assert.Null(Libpq.Parse(url));
        Assert.NotEmpty(RefusalOf(url));
    }

    [Theory]
    [Trait("Failure", "C12")]
    [InlineData("sslmode=maybe", "'sslmode'")]
    [InlineData("sslmode=", "'sslmode'")]
    [InlineData("sslmode=Require", "'sslmode'")]
    [InlineData("sslmode=3", "'sslmode'")]
    [InlineData("channel_binding=maybe", "'channel_binding'")]
    [InlineData("gssencmode=", "'gssencmode'")]
    [InlineData("target_session_attrs=master", "'target_session_attrs'")]
    [InlineData("target_session_attrs=", "'target_session_attrs'")]
    [InlineData("load_balance_hosts=true", "'load_balance_hosts'")]
    [InlineData("sslnegotiation=tls", "'sslnegotiation'")]
    [InlineData("sslnegotiation=direct", "SSL Negotiation")]
    [InlineData("sslrootcert=system&sslmode=require", "'sslrootcert=system'")]
    [InlineData("sslrootcert=system&sslmode=verify-ca", "'sslrootcert=system'")]
    [InlineData("require_auth=MD5", "'require_auth'")]
    [InlineData("require_auth=!!md5", "'require_auth'")]
    [InlineData("require_auth=md5,%20gss", "'require_auth'")]
    [InlineData("require_auth=md5,md5", "'require_auth'")]
    [InlineData("require_auth=md5,!gss", "'require_auth'")]
    [InlineData("keepalives=", "'keepalives'")]
    [InlineData("keepalives=yes", "'keepalives'")]
    [InlineData("keepalives_idle=soon", "'keepalives_idle'")]
    [InlineData("port=0", "port")]
    [InlineData("port=70000", "port")]
    [InlineData("port=many", "port")]
    [InlineData("port=1,2", "ports")]
    [InlineData("host=127.0.0.1,127.0.0.2&port=1,2,3", "ports")]
    public void A_value_that_libpq_refuses_is_refused_with_the_name_of_its_parameter(string query, string words)
    {
        var url = $"postgresql://127.0.0.1:1/shop?{query}";
        if (IsKnown(url)) Assert.True(Libpq.Refuses(url));
        Assert.Contains(words, RefusalOf(url), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Failure", "C12")]
    public void Every_parameter_of_the_installed_libpq_is_understood_or_refused_by_its_name()
    {
        Assert.All(Libpq.Names(), name =>
        {
            var refusal = Record.Exception(() => ConnectionStringParser.Parse($"postgresql://app@db/shop?{name}=1"));
            if (refusal is not null) Assert.DoesNotContain("neither libpq nor Npgsql knows", Assert.IsType<ConnectionStringException>(refusal).Message, StringComparison.Ordinal);
        });
    }

    private static string RefusalOf(string url)
    {
        var message = Assert.Throws<ConnectionStringException>(() => ConnectionStringParser.Parse(url)).Message;
        Assert.DoesNotContain("s3", message, StringComparison.Ordinal);
        return message;
    }

    /// <summary>Whether the installed libpq is new enough to say what the URL means.</summary>
    private static bool IsKnown(string url)
    {
        if (url.Contains("=system", StringComparison.Ordinal) && Libpq.Version < Version16) return false;
        string[] newer = ["sslnegotiation", "require_auth", "load_balance_hosts"];
        return newer.Where(name => url.Contains($"{name}=", StringComparison.Ordinal)).All(name => Libpq.Names().Contains(name));
    }
}
