using System.Diagnostics.Metrics;
using Npgsql;

namespace ReplicaRouter.Management;

/// <summary>Finds out whether Npgsql still has what the router knows only by name. What a compiler would notice is not among it.</summary>
internal static class NpgsqlCheck
{
    private static readonly string[] s_settings =
    [
        "Application Name", "Command Timeout", "Connection Idle Lifetime", "Host Recheck Seconds", "Load Balance Hosts", "Maximum Pool Size", "Persist Security Info",
        "SSL Certificate", "SSL Key", "SSL Password", "Target Session Attributes", "TCP Keepalive", "TCP Keepalive Interval", "TCP Keepalive Time", "Timeout",
    ];

    /// <summary>What the Npgsql of this process lacks, in words. It is the same for every router.</summary>
    public static IReadOnlyList<string> Missing { get; } = [.. MissingOf(CommandListener.Instruments, s_settings), .. MissingMembers()];

    /// <summary>Which instruments of Npgsql's meter, and which settings of a connection string, are not known by these names.</summary>
    public static IEnumerable<string> MissingOf(IEnumerable<string> instruments, IEnumerable<string> settings)
    {
        // Its instruments are there once it has made a data source.
        NpgsqlDataSource.Create("Host=localhost").Dispose();
        var published = new HashSet<string>(StringComparer.Ordinal);
        using var listener = new MeterListener { InstrumentPublished = (instrument, _) => { if (instrument.Meter.Name == CommandListener.MeterName) published.Add(instrument.Name); } };
        listener.Start();
        var builder = new NpgsqlConnectionStringBuilder();
        return
        [
            .. instruments.Where(name => !published.Contains(name)).Select(name => $"the metric '{name}'"),
            .. settings.Where(name => !builder.ContainsKey(name)).Select(name => $"the setting '{name}'"),
        ];
    }

    private static IEnumerable<string> MissingMembers()
    {
        using var dataSource = NpgsqlDataSource.Create("Host=localhost");
        using var connection = new NpgsqlConnection();
        if (!PoolOfConnection.TrySet(connection, dataSource)) yield return "the data source of a connection";
        if (!ConnectionSocket.IsShown) yield return "the physical connection of a connection";
    }
}
