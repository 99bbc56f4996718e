namespace ReplicaRouter.Tests.ConnectionStrings;

public class ConnectionStringParserTests
{
    [Theory]
    [InlineData("postgresql://app:secret@db.example:6432/shop", "db.example", 6432, "app", "secret", "shop")]
    [InlineData("postgres://app@db/shop", "db", 5432, "app", null, "shop")]
    [InlineData("postgresql://us%40er:p%40ss%3A%2F%3F%23%25@db/sh%20op", "db", 5432, "us@er", "p@ss:/?#%", "sh op")]
    [InlineData("postgresql://app:secret@[2001:db8::1]:6432/shop", "2001:db8::1", 6432, "app", "secret", "shop")]
    [InlineData("postgresql://app:secret@[::1]/shop", "::1", 5432, "app", "secret", "shop")]
    [InlineData("Host=db;Port=6432;Username=app;Password=secret;Database=shop", "db", 6432, "app", "secret", "shop")]
    [InlineData("Server=db;User Id=app;Password='a;b=c';Database=shop", "db", 5432, "app", "a;b=c", "shop")]
    public void Reads_urls_and_key_value_strings(string value, string host, int port, string user, string? password, string database)
    {
        var parsed = Assert.Single(ConnectionStringParser.Parse(value));
        Assert.Equal((host, port, user, password, database), (parsed.Host, parsed.Port, parsed.Username, parsed.Password, parsed.Database));
    }

    [Theory]
    [InlineData("postgresql://app@a:1,b:2,[::1]:3,c/shop", "a:1 b:2 ::1:3 c:5432")]
    [InlineData("Host=a:1,b,c:3;Port=6000;Username=app;Target Session Attributes=prefer-standby;Load Balance Hosts=true", "a:1 b:6000 c:3")]
    public void A_string_with_several_hosts_yields_one_result_per_host(string value, string hosts) =>
        Assert.Equal(hosts, string.Join(' ', ConnectionStringParser.Parse(value).Select(h => $"{h.Host}:{h.Port}")));

    [Fact]
    public void Url_parameters_use_the_names_of_libpq_and_ORMs()
    {
        var parsed = ConnectionStringParser.Parse(
            "postgresql://app:secret@db/shop?sslmode=verify-full&application_name=my%20app&connect_timeout=3&schema=acc&connection_limit=7&options=-c%20geqo%3Doff")[0];
        Assert.Equal(Npgsql.SslMode.VerifyFull, parsed.SslMode);
        Assert.Equal(("my app", 3, "acc", 7, "-c geqo=off"), (parsed.ApplicationName, parsed.Timeout, parsed.SearchPath, parsed.MaxPoolSize, parsed.Options));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("postgresql://app:s3cret@/shop", "names no host")]
    [InlineData("postgresql://app:s3cret@db:70000/shop", "port")]
    [InlineData("postgresql://app:s3cret@db?port=1,2", "different number of ports")]
    [InlineData("postgresql://app:s3cret%ff@db/shop", "not valid UTF-8")]
    [InlineData("postgresql://app:s3cret%00@db/shop", "%00")]
    [InlineData("postgresql://app:s3cret@[::1/shop", "bracket")]
    [InlineData("postgresql://app:s3cret@::1/shop", "brackets")]
    [InlineData("postgresql://app:s3cret%zz@db/shop", "%25")]
    [InlineData("postgresql://app:s3cret@db/shop?sslmod=require", "Did you mean 'sslmode'?")]
    [InlineData("postgresql://app:s3cret@db/shop?sslmode=require&s3crets=1", "number 2 after the question mark")]
    [InlineData("Host=db;Password=s3cret;Prot=1", "Did you mean 'port'?")]
    [InlineData("postgresql://app:s3cret@db/shop?sslmode=maybe", "invalid value for 'sslmode'. Allowed values: disable, allow, prefer, require, verify-ca, verify-full.")]
    [InlineData("postgresql://app:s3cret@db/shop?SSL%20Mode=maybe", "'SSL Mode'")]
    [InlineData("postgresql://app:s3cret@db/shop?sslmode", "number 1 after the question mark, that is not written as name=value")]
    [InlineData("postgresql://app:s3cret@db/shop?Host=s3cret", "'host' and 'port'")]
    [InlineData("postgresql://app:s3cret@db/shop?Port=6000", "'host' and 'port'")]
    [InlineData("postgresql://app:s3cret@a,b/shop?host=c", "different number of ports")]
    [InlineData("postgresql://app:s3cret@db/shop?hostaddr=10.0.0.7", "both a host and 'hostaddr'")]
    [InlineData("postgresql:///shop?hostaddr=s3cret", "'hostaddr' that is not an IP address")]
    [InlineData("postgresql://app:s3cret@db/shop?pool_timeout=3", "Prisma's parameter 'pool_timeout'")]
    [InlineData("postgresql://app:s3cret@db/shop?pgbouncer=s3cret", "'pgbouncer'")]
    [InlineData("postgresql://app:s3cret@db/shop?connection_limit=0", "pool size of 0")]
    [InlineData("Host=db;Password=s3cret;Maximum Pool Size=0", "pool size of 0")]
    [InlineData("Host=db;Password=s3cret;Minimum Pool Size=9;Maximum Pool Size=3", "above its maximum")]
    [InlineData("Host=db;Password=abc;s3cret=1", "quote the password")]
    [InlineData("Host=db;Pwd=abc;s3cret=1", "quote the password")]
    [InlineData("Host=db;Password=s3cret;Port=many", "'port'")]
    [InlineData("Username=app;Password=s3cret", "names no host")]
    [InlineData("Host=db;Password=s3cret;Pooling=false", "pool")]
    [InlineData("s3cret", "neither a postgresql:// URL nor")]
    [InlineData("Host=db;Password=s3cret;SSL Negotiation=Direct", "refuses together")]
    [InlineData("Host=db;Password=s3cret;Connection Idle Lifetime=1;Connection Pruning Interval=9", "refuses together")]
    [InlineData("postgresql://app:s3cret@db/shop?keepalives_interval=9", "interval without the keepalive time")]
    [InlineData("Host=db;Password=s3cret;Require Auth=s3cret", "'require auth'")]
    public void An_error_explains_a_bad_value_without_repeating_it(string value, string problem)
    {
        var error = Assert.Throws<ConnectionStringException>(() => ConnectionStringParser.Parse(value));
        Assert.Contains(problem, error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("s3", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Failure", "C1")]
    [InlineData("jdbc:postgresql://app:s3cret@h/app?sslmode=require")]
    [InlineData("jdbc:postgresql://h/app?user=app&password=s3cret")]
    [InlineData("mysql://app:s3cret@h/app")]
    [InlineData("mysql://app:s3cret@h/app?ssl=true")]
    [InlineData("postgresql+asyncpg://app:s3cret@h/app?ssl=require")]
    [InlineData("psql postgresql://app:s3cret@h/app?sslmode=require")]
    [InlineData("'postgresql://app:s3cret@h/app?sslmode=require'")]
    [InlineData("DATABASE_URL=postgresql://app:s3cret@h/app?sslmode=require")]
    [InlineData("postgresql:/app:s3cret@h/app?sslmode=require")]
    public void The_error_for_a_url_of_another_kind_does_not_repeat_it(string value)
    {
        var error = Assert.Throws<ConnectionStringException>(() => ConnectionStringParser.Parse(value));
        Assert.Contains("postgresql://user:password@host:5432/database", error.Message, StringComparison.Ordinal);
        // The stack trace contains paths of the clone, which can contain "s3".
        Assert.DoesNotContain("s3", error.ToString().Replace(error.StackTrace!, "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Failure", "C1")]
    [InlineData("Host=db,Username=app,Password=s3cret")]
    [InlineData("Username=app,Password=s3cret;Host=db")]
    [InlineData("Database=shop Password = s3cret;Host=db")]
    [InlineData("host=db user=app password=s3cret dbname=shop")]
    [InlineData("postgresql://db/shop;user=app;password=s3cret")]
    [InlineData("Host=db;Database=postgresql://app:s3cret@h/app")]
    [InlineData("Host=/var/run/postgresql Password=s3cret Username=app")]
    [InlineData("Host=/var/run/postgresql;Username=app;Password=x,/s3cret=;Host=/a s3cret")]
    [InlineData("postgresql://app@/shop?host=/tmp;password=s3cret")]
    public void A_password_after_a_wrong_separator_is_not_read_as_host_user_or_database(string value)
    {
        var error = Assert.Throws<ConnectionStringException>(() => ConnectionStringParser.Parse(value));
        Assert.DoesNotContain("s3cret", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Failure", "C11")]
    [InlineData("postgresql://app:p@s3cret/x@db-1/shop")]
    [InlineData("postgresql://app:p@s3cret@db-1/shop")]
    [InlineData("postgresql://app:p/s3cret@db-1/shop")]
    [InlineData("postgresql://app:1/s3cret@db-1/shop")]
    [InlineData("postgresql://app:p@s3cret?x@db-1/shop")]
    [InlineData("postgresql://app:p@s3cret#x@db-1/shop")]
    [InlineData("postgresql://app:p#s3cret@db-1/shop")]
    [InlineData("postgresql://app:1?s3cret@db-1/shop")]
    [InlineData("postgresql://app:p?s3=cret@db-1/shop")]
    [InlineData("postgresql://app:1/s3cret/x%40db-1/shop")]
    [InlineData("postgresql://app:p@s3cret:5432:x/shop")]
    [InlineData("postgresql://app:p@s3 cret/shop")]
    [InlineData("postgresql://app:p%40s3%40cret%2Fx%40db-1/shop")]
    [InlineData("postgresql://app:p@s3%40cret/shop")]
    public void A_possible_part_of_the_password_is_not_read_as_host_or_database(string value)
    {
        var error = Assert.Throws<ConnectionStringException>(() => ConnectionStringParser.Parse(value));
        Assert.Contains("percent-encode", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Failure", "C12")]
    [InlineData("scram-sha-256", "ScramSHA256")]
    [InlineData("!password,!md5", "!Password,!MD5")]
    [InlineData("gss,none", "GSS,None")]
    public void Authentication_methods_of_libpq_are_mapped_to_Npgsql(string libpq, string npgsql) =>
        Assert.Equal(npgsql, ConnectionStringParser.Parse($"postgresql://app@db/shop?require_auth={Uri.EscapeDataString(libpq)}")[0].RequireAuth);

    [Theory]
    [InlineData("gssdelegation"), InlineData("gsslib"), InlineData("keepalives_count"), InlineData("max_protocol_version"), InlineData("min_protocol_version")]
    [InlineData("oauth_client_id"), InlineData("oauth_client_secret"), InlineData("oauth_issuer"), InlineData("oauth_scope"), InlineData("replication")]
    [InlineData("requirepeer"), InlineData("scram_client_key"), InlineData("scram_server_key"), InlineData("service"), InlineData("servicefile"), InlineData("sslcertmode")]
    [InlineData("sslcompression"), InlineData("sslcrl"), InlineData("sslcrldir"), InlineData("sslkeylogfile"), InlineData("sslsni"), InlineData("ssl_max_protocol_version")]
    [InlineData("ssl_min_protocol_version"), InlineData("tcp_user_timeout")]
    public void A_parameter_that_only_libpq_supports_is_rejected_by_name(string parameter)
    {
        var error = Assert.Throws<ConnectionStringException>(() => ConnectionStringParser.Parse($"postgresql://app:s3cret@db/shop?{parameter}=s3cret"));
        Assert.Equal($"has libpq's parameter '{parameter}', which Npgsql does not support. Remove it.", error.Message);
    }

    [Fact]
    public void Other_libpq_parameters_are_mapped_to_Npgsql()
    {
        var parsed = ConnectionStringParser.Parse("postgresql://app@db/shop?fallback_application_name=shop&krbsrvname=pg&keepalives=1&keepalives_idle=9")[0];
        Assert.Equal(("shop", "pg", true, 9), (parsed.ApplicationName, parsed.KerberosServiceName, parsed.TcpKeepAlive, parsed.TcpKeepAliveTime));
        Assert.Equal("own", ConnectionStringParser.Parse("postgresql://app@db/shop?application_name=own&fallback_application_name=shop")[0].ApplicationName);
    }

    [Theory]
    [InlineData("postgresql:///shop?host=a,b&port=6000", "a:6000 b:6000")]
    [InlineData("postgresql://x/shop?host=a,b&port=1,2", "a:1 b:2")]
    [InlineData("postgresql://x:6000/shop?host=a,b", "a:6000 b:6000")]
    [InlineData("postgresql://x:6000/shop?port=", "x:5432")]
    [InlineData("postgresql:///shop?host=::1", "::1:5432")]
    [InlineData("postgresql:///shop?hostaddr=10.0.0.7,::1&port=1,2", "10.0.0.7:1 ::1:2")]
    [InlineData("postgresql:///shop?host=/var/run/postgresql", "/var/run/postgresql:5432")]
    [InlineData("postgresql://:6000/shop?host=/tmp", "/tmp:6000")]
    [InlineData("postgresql://%2Fvar%2Frun%2Fpostgresql/shop", "/var/run/postgresql:5432")]
    [InlineData("Host=/var/run/postgresql;Database=shop", "/var/run/postgresql:5432")]
    public void Query_parameters_can_name_hosts_and_socket_directories(string value, string hosts) =>
        Assert.Equal(hosts, string.Join(' ', ConnectionStringParser.Parse(value).Select(h => $"{h.Host}:{h.Port}")));

    [Theory]
    [Trait("Failure", "C12")]
    [InlineData("sslmode=require&sslrootcert=ca.pem", Npgsql.SslMode.VerifyCA)]
    [InlineData("sslrootcert=ca.pem&sslmode=require", Npgsql.SslMode.VerifyCA)]
    [InlineData("sslmode=require", Npgsql.SslMode.Require)]
    [InlineData("sslmode=prefer&sslrootcert=ca.pem", Npgsql.SslMode.Prefer)]
    [InlineData("sslrootcert=system", Npgsql.SslMode.VerifyFull)]
    public void A_root_certificate_file_enables_verification_as_in_psql(string query, Npgsql.SslMode mode) =>
        Assert.Equal(mode, ConnectionStringParser.Parse($"postgresql://app@db/shop?{query}")[0].SslMode);

    [Fact]
    [Trait("Failure", "C1")]
    public void Persist_Security_Info_is_ignored() =>
        Assert.False(ConnectionStringParser.Parse("Host=db;Password=s3cret;Persist Security Info=true")[0].PersistSecurityInfo);
}
