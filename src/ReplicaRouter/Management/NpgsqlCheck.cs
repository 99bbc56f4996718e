using System.Diagnostics.Metrics;
using Npgsql;

namespace ReplicaRouter.Management;

/// <summary>Checks that Npgsql still has everything that the router uses only by name, which the compiler can't check.</summary>
internal static class NpgsqlCheck
{
    private static readonly string[] s_settings =
    [
        "Application Name", "Command Timeout", "Connection Idle Lifetime", "Host Recheck Seconds", "Load Balance Hosts", "Maximum Pool Size", "Persist Security Info",
        "SSL Certificate", "SSL Key", "SSL Password", "Target Session Attributes", "TCP Keepalive", "TCP Keepalive Interval", "TCP Keepalive Time", "Timeout",
    ];

    /// <summary>What this process's Npgsql lacks, as text. The same for every router.</summary>
    public static IReadOnlyList<string> Missing { get; } = [.. MissingOf(CommandListener.Instruments, s_settings), .. MissingMembers()];

    /// <summary>Returns the instruments and connection string settings that Npgsql does not have under these names.</summary>
    public static IEnumerable<string> MissingOf(IEnumerable<string> instruments, IEnumerable<string> settings)
    {
        // Npgsql publishes its instruments when it creates the first data source.
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
