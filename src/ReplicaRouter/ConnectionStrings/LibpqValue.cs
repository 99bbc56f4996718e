using System.Collections.Frozen;
using System.Globalization;

namespace ReplicaRouter.ConnectionStrings;

/// <summary>Translates libpq's values of parameters to Npgsql's. No message repeats an invalid value.</summary>
internal static class LibpqValue
{
    private static readonly FrozenDictionary<string, string[]> Choices = new Dictionary<string, string[]>
    {
        ["sslmode"] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
        ["sslnegotiation"] = ["postgres", "direct"],
        ["channel_binding"] = ["disable", "prefer", "require"],
        ["gssencmode"] = ["disable", "prefer", "require"],
        ["target_session_attrs"] = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"],
        ["load_balance_hosts"] = ["disable", "random"],
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, string> AuthenticationMethods = new Dictionary<string, string>
    {
        ["password"] = "Password",
        ["md5"] = "MD5",
        ["gss"] = "GSS",
        ["sspi"] = "SSPI",
        ["scram-sha-256"] = "ScramSHA256",
        ["none"] = "None",
    }.ToFrozenDictionary();

    /// <returns>The value; null for an empty text, which means no value in libpq.</returns>
    /// <exception cref="ConnectionStringException">libpq or Npgsql has no such value.</exception>
    public static string? Translate(string name, string value) => name switch
    {
        // Npgsql's names have no hyphens.
        _ when Choices.TryGetValue(name, out var choices) => choices.Contains(value) ? value.Replace("-", "", StringComparison.Ordinal) : throw Invalid(name, choices),
        "keepalives" => Number(name, value) == 0 ? "false" : "true",
        "connect_timeout" or "keepalives_idle" or "keepalives_interval" => Number(name, value).ToString(CultureInfo.InvariantCulture),
        // 'auto' is the encoding of the process's locale, which .NET strings do not have.
        "client_encoding" when value == "auto" => throw new ConnectionStringException("has 'client_encoding=auto', which Npgsql does not support. Remove it."),
        _ when value.Length == 0 => null,
        "require_auth" => Methods(name, value),
        _ => value,
    };

    private static int Number(string name, string value) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw new ConnectionStringException($"has a value for '{name}' that is not a whole number of 0 or more.");

    private static string Methods(string name, string value)
    {
        var methods = value.Split(',');
        if (methods.Distinct().Count() < methods.Length) throw new ConnectionStringException($"lists a method twice in '{name}'. List each once.");
        return string.Join(',', methods.Select(method => method.StartsWith('!') ? "!" + Known(method[1..]) : Known(method)));

        string Known(string method) => AuthenticationMethods.GetValueOrDefault(method) ?? throw Invalid(name, AuthenticationMethods.Keys.Order(StringComparer.Ordinal));
    }

    private static ConnectionStringException Invalid(string name, IEnumerable<string> choices) =>
        new($"has an invalid value for '{name}'. Allowed values: {string.Join(", ", choices)}.");
}
