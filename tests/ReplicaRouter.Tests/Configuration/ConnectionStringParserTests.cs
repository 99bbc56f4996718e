namespace ReplicaRouter.Tests.Configuration;

public class ConnectionStringParserTests
{
    [Theory]
    [InlineData("postgresql://app:secret@db.example:6432/shop", "db.example", 6432, "app", "secret", "shop")]
    [InlineData("postgres://app@db/shop", "db", 5432, "app", null, "shop")]
    [InlineData("postgresql://us%40er:p%40ss%3A%2F%3F%23%25@db/sh%20op", "db", 5432, "us@er", "p@ss:/?#%", "sh op")]
    [InlineData("postgresql://app:a@b@db/shop", "db", 5432, "app", "a@b", "shop")]
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
    public void Several_hosts_become_one_each(string value, string hosts) =>
        Assert.Equal(hosts, string.Join(' ', ConnectionStringParser.Parse(value).Select(h => $"{h.Host}:{h.Port}")));

    [Fact]
    public void Url_parameters_are_understood_as_libpq_and_ORMs_name_them()
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
    [InlineData("postgresql://app:s3/cret@db:5432/shop", "port")]
    [InlineData("postgresql://app:s3cret@[::1/shop", "bracket")]
    [InlineData("postgresql://app:s3cret@::1/shop", "brackets")]
    [InlineData("postgresql://app:s3cret%zz@db/shop", "%25")]
    [InlineData("postgresql://app:s3cret@db/shop?sslmod=require", "'sslmod'")]
    [InlineData("postgresql://app:s3cret@db/shop?sslmode=maybe", "'SSL Mode'")]
    [InlineData("postgresql://app:s3cret@db/shop?connection_limit=0", "pool size of 0")]
    [InlineData("Host=db;Password=s3cret;Maximum Pool Size=0", "pool size of 0")]
    [InlineData("Host=db;Password=s3cret;Minimum Pool Size=9;Maximum Pool Size=3", "above its maximum")]
    [InlineData("Host=db;Password=abc;s3cret=1", "quote it")]
    [InlineData("Host=db;Pwd=abc;s3cret=1", "quote it")]
    [InlineData("postgresql://app:a?s3=1@db/shop", "percent-encode")]
    [InlineData("postgresql://app:a?s3cret@db/shop", "percent-encode")]
    [InlineData("Host=db;Password=s3cret;Port=many", "'port'")]
    [InlineData("Username=app;Password=s3cret", "names no host")]
    [InlineData("Host=db;Password=s3cret;Pooling=false", "pool")]
    [InlineData("s3cret", "neither a postgresql:// URL nor")]
    [InlineData("mysql://app:s3cret@db/shop", "neither a postgresql:// URL nor")]
    public void A_bad_value_is_explained_without_repeating_any_of_it(string value, string problem)
    {
        var error = Assert.Throws<FormatException>(() => ConnectionStringParser.Parse(value));
        Assert.Contains(problem, error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("s3", error.Message, StringComparison.Ordinal);
    }
}
