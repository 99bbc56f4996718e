using System.Globalization;

namespace ReplicaRouter.Testing.Fake;

/// <summary>The settings that a server reports to each client, and a few more that SHOW returns.</summary>
internal static class ServerParameters
{
    private static readonly (string Name, string Value)[] s_fixed =
    [
        ("server_encoding", "UTF8"),
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO, MDY"),
        ("IntervalStyle", "postgres"),
        ("TimeZone", "UTC"),
        ("integer_datetimes", "on"),
        ("standard_conforming_strings", "on"),
    ];

    /// <summary>Returns the settings that the server reports at login, and again when they change.</summary>
    public static IEnumerable<(string Name, string Value)> Reported(FakeServerState state) =>
    [
        .. s_fixed,
        ("server_version", state.Version),
        ("in_hot_standby", OnOff(state.IsStandby)),
        ("default_transaction_read_only", OnOff(state.IsReadOnly)),
    ];

    /// <returns>The value; null if the fake server does not know the setting.</returns>
    public static string? Find(FakeServerState state, string name) => Reported(state)
        .Append(("transaction_read_only", OnOff(state.IsReadOnly || state.IsStandby)))
        .Append(("synchronous_standby_names", state.SynchronousStandbyNames))
        .Append(("max_connections", state.MaxConnections.ToString(CultureInfo.InvariantCulture)))
        .FirstOrDefault(setting => setting.Item1.Equals(name, StringComparison.OrdinalIgnoreCase)).Item2;

    private static string OnOff(bool isOn) => isOn ? "on" : "off";
}
