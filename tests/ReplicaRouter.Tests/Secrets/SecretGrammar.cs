using System.Text;

namespace ReplicaRouter.Tests.Secrets;

/// <summary>Generates valid and invalid inputs, each with the mark somewhere in it. The same seed generates the same input.</summary>
internal sealed class SecretGrammar(Random random)
{
    private const string Specials = ":/?#@%&=;,'\"[]{}\\ +!$<>|\t\n\u00e9";

    private static readonly string[] s_schemes =
    [
        "postgres://", "POSTGRESQL://", "jdbc:postgresql://", "mysql://", "postgresql+asyncpg://", "psql postgresql://",
        "postgresql:/", "postgresql:", "//", "", "'postgresql://", "DATABASE_URL=postgresql://", "https://", "jdbc:sqlserver://", "mongodb+srv://",
    ];

    private static readonly string[] s_users = ["app", "app%40corp", "us er", "", "app@corp"];
    private static readonly string[] s_hosts = ["db-1", "db-1:5432", "[::1]:1", "db-1,db-2:6000", "/var/run/postgresql", "%2Ftmp", "", "db-1:99999", "::1", "db_1.internal."];
    private static readonly string[] s_paths = ["/shop", "/shop", "", "/", "/sh%20op", "/a/b"];

    private static readonly string[] s_urlParameters =
    [
        "sslmode=verify-full", "application_name=shop", "connect_timeout=3", "options=-c%20geqo%3Doff", "passfile=/home/app/.pgpass", "connection_limit=7", "require_auth=scram-sha-256", "keepalives=1",
        "target_session_attrs=any", "Persist Security Info=true", "fallback_application_name=x",
    ];

    private static readonly string[] s_parameters =
    [
        "Username=app", "Database=shop", "SSL Mode=VerifyFull", "Timeout=3", "Maximum Pool Size=7", "Persist Security Info=true", "Include Error Detail=true", "Options='-c geqo=off'", "Search Path=a,b",
        "Application Name=shop", "Passfile=/home/app/.pgpass",
    ];

    private static readonly string[] s_urlKeys =
    [
        "sslmode", "sslrootcert", "application_name", "connect_timeout", "options", "passfile", "password", "sslpassword", "user", "host", "port", "dbname", "schema", "sslmod", "sslcrl", "service",
        "connection_limit", "target_session_attrs", "require_auth", "keepalives", "keepalives_interval", "pgbouncer", "Max Pool Size", "Require Auth", "Persist Security Info", "Encoding",
    ];

    private static readonly string[] s_keys =
    [
        "Host", "Server", "Port", "Username", "User Id", "Password", "Pwd", "PSW", "Database", "DB", "Passfile", "SSL Password", "Options", "Application Name", "Timeout", "Maximum Pool Size",
        "SSL Mode", "Root Certificate", "Search Path", "Timezone", "Require Auth", "Persist Security Info", "Include Error Detail", "Target Session Attributes", "Pooling", "Keepalive", "Paswort",
    ];

    private static readonly string[] s_configurationKeys =
    [
        "ReplicaRouter:MaxLag", "ReplicaRouter:TokenSecret", "ReplicaRouter:SessionWindow", "ReplicaRouter:Health", "ReplicaRouter:Health:Interval", "ReplicaRouter:Routes:read:MaxPoolSize",
        "ReplicaRouter:Routes:read:AllowHedging", "ReplicaRouter:Routes:read:Consistency", "ReplicaRouter:Routes:read:Groups:0", "ReplicaRouter:Routes:read:Groups", "ReplicaRouter:Routes:read", "ReplicaRouter",
        "ReplicaRouter:Hosts", "ReplicaRouter:Hosts:x", "ReplicaRouter:Hosts:x:ConnectionString", "ReplicaRouter:Hosts:x:Weight", "ReplicaRouter:Discovery:Dns:Name", "ReplicaRouter:Discovery:Dns:Nameserver",
        "ReplicaRouter:Discovery:Patroni:Urls:0", "ReplicaRouter:Discovery:Patroni:CertificateAuthorityFile", "ReplicaRouter:Discovery:Aurora:HostPattern", "ReplicaRouter:Discovery:AllowedHosts:0",
        "ReplicaRouter:Unknown", "ReplicaRouter:Rutes:read", "DATABASE_READ_REPLICA_1_URL", "DATABASE_READ_REPLICA_X_URL", "DATABASE_URL",
    ];

    public SecretInput Next() => random.Next(10) switch
    {
        < 6 => Url(),
        < 8 => KeyValues(),
        < 9 => DotEnv(),
        _ => Value(),
    };

    private SecretInput Url()
    {
        var position = random.Next(9);
        var secret = Secret();
        string At(int here, string otherwise) => position == here ? secret : otherwise;
        var query = new StringBuilder();
        for (var i = random.Next(position is 5 or 6 ? 1 : 0, 4); i > 0; i--)
        {
            var isSecret = i == 1;
            query.Append(query.Length == 0 ? '?' : '&').Append(
                isSecret && position == 5 ? $"{secret}={ValueOf()}" : isSecret && position == 6 ? $"{One(s_urlKeys)}={secret}" : Usually(s_urlParameters, s_urlKeys));
        }

        var password = position is 1 or 8 ? ":" + secret : random.Next(2) == 0 ? ":pw" : "";
        var text = $"{Usually("postgresql://", s_schemes)}{At(0, One(s_users))}{password}@{At(2, Usually("127.0.0.1:1", s_hosts))}{(position == 3 ? "/" + secret : Usually("/shop", s_paths))}{query}{(position == 4 || position == 7 ? "#" + secret : "")}";
        return Mutated(new(SecretInputKind.ConnectionString, text, IsPassword: position is 1 or 8 && !text.Contains("host=", StringComparison.OrdinalIgnoreCase)));
    }

    private SecretInput KeyValues()
    {
        var (count, secretAt) = (random.Next(2, 7), random.Next(7));
        var separator = random.Next(20) switch { 0 => ",", 1 => " ", 2 => "&", 3 => "\n", 4 => "; ", _ => ";" };
        var parts = new List<string> { random.Next(8) == 0 ? "" : "Host=127.0.0.1;Port=1" };
        var isPassword = false;
        for (var i = 0; i < count; i++)
        {
            var key = One(s_keys);
            if (i != secretAt % count)
            {
                parts.Add(Usually(s_parameters, s_keys));
                continue;
            }

            isPassword = random.Next(2) == 0;
            parts.Add(isPassword ? $"{One(["Password", "pwd", "PSW", " password "])}={Quoted(Secret())}" : random.Next(4) == 0 ? $"{Secret()}={ValueOf()}" : $"{key}={Quoted(Secret())}");
        }

        return Mutated(new(SecretInputKind.ConnectionString, string.Join(separator, parts), IsPassword: isPassword));
    }

    private SecretInput DotEnv()
    {
        var inner = random.Next(3) == 0 ? KeyValues() : Url();
        var value = random.Next(5) == 0 ? Secret() : inner.Text;
        var name = One(["DATABASE_URL", "DATABASE_READ_REPLICA_1_URL", "DATABASE_READ_REPLICA_X_URL", "ReplicaRouter__MaxLag", "ReplicaRouter__TokenSecret", "ReplicaRouter__Rutes", "OTHER"]);
        var line = random.Next(9) switch
        {
            0 => $"export {name}={value}",
            1 => $"{name}=\"{value}\"",
            2 => $"{name}='{value}'",
            3 => $"{name} {value}",
            4 => value,
            5 => $"{name}=\"{value[..(value.Length / 2)]}\n{value[(value.Length / 2)..]}\"",
            6 => $"set {name}={value}",
            7 => $"{name}: {value}",
            _ => $"{name}={value}",
        };
        return new(SecretInputKind.DotEnv, $"{(random.Next(2) == 0 ? "# first\nA=1\n" : "")}{line}\n{(random.Next(2) == 0 ? "ReplicaRouter__Health__Interval=5\n" : "")}", IsPassword: false);
    }

    private SecretInput Value()
    {
        var value = random.Next(6) switch
        {
            0 => $"{{ \"password\": \"{Secret()}\" }}",
            1 => $"[{Secret()}]",
            2 => Url().Text,
            3 => $"5 {Secret()}",
            _ => Secret(),
        };
        return new(SecretInputKind.Value, value, One(s_configurationKeys));
    }

    /// <summary>Generates a secret: pieces of the mark, separated by characters that a parser can take for delimiters, raw or encoded correctly or incorrectly.</summary>
    private string Secret()
    {
        var text = new StringBuilder(SecretMark.Piece(random));
        for (var i = random.Next(4); i > 0; i--)
        {
            for (var j = random.Next(3); j > 0; j--) text.Append(Specials[random.Next(Specials.Length)]);
            text.Append(random.Next(4) == 0 ? SecretMark.Piece(random).ToUpperInvariant() : SecretMark.Piece(random));
        }

        return random.Next(5) switch
        {
            0 or 1 => Uri.EscapeDataString(text.ToString()),
            2 => string.Concat(Encoding.UTF8.GetBytes(text.ToString()).Select(b => $"%{b:x2}")),
            3 => text.Replace("@", "%40").Replace("/", "%2F").ToString(),
            _ => text.ToString(),
        };
    }

    private string Quoted(string value) => random.Next(6) switch
    {
        0 => $"'{value}'",
        1 => $"\"{value}\"",
        2 => $"'{value}",
        3 => $"\"{value}\"x",
        _ => value,
    };

    private string Usually(string[] parameters, string[] keys) => random.Next(8) == 0 ? $"{One(keys)}={ValueOf()}" : One(parameters);

    private string Usually(string good, string[] others) => random.Next(4) == 0 ? One(others) : good;

    private string ValueOf() => One(["1", "0", "require", "verify-full", "true", "false", "/etc/ssl/ca.pem", "a,b", "-c geqo=off", "public", "", "any", "99999999999", "%zz", "Scram"]);

    private string One(string[] of) => of[random.Next(of.Length)];

    /// <summary>Makes one to three typing errors in half of all inputs. Whether the mark is still part of a password is then unknown.</summary>
    private SecretInput Mutated(SecretInput input)
    {
        if (random.Next(2) == 0) return input;
        var text = new StringBuilder(input.Text);
        for (var i = random.Next(1, 4); i > 0 && text.Length > 0; i--)
        {
            var at = random.Next(text.Length);
            switch (random.Next(5))
            {
                case 0: text.Remove(at, 1); break;
                case 1: text.Insert(at, Specials[random.Next(Specials.Length)]); break;
                case 2: text[at] = Specials[random.Next(Specials.Length)]; break;
                case 3: text.Insert(at, text[at]); break;
                default: text[at] = char.IsLower(text[at]) ? char.ToUpperInvariant(text[at]) : char.ToLowerInvariant(text[at]); break;
            }
        }

        return input with { Text = text.ToString(), IsPassword = false };
    }
}
