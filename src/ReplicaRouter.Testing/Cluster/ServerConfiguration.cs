using System.Globalization;
using System.Text;

namespace ReplicaRouter.Testing.Cluster;

/// <summary>The whole configuration of one server. It can be changed even while the server is down.</summary>
/// <remarks>The file is next to the data directory, not in it, where the servers' account could replace it by a link.</remarks>
internal sealed class ServerConfiguration
{
    private readonly ClusterSetup _setup;
    private readonly string _name;
    private readonly Dictionary<string, string> _values;

    internal ServerConfiguration(ClusterSetup setup, string name, int port)
    {
        (_setup, _name) = (setup, name);
        _values = new(StringComparer.OrdinalIgnoreCase)
        {
            ["fsync"] = "off",                          // nothing here outlives the machine
            ["shared_buffers"] = "16MB",
            ["wal_level"] = "replica",
            ["hot_standby"] = "on",
            ["max_wal_senders"] = "20",
            ["wal_keep_size"] = "256MB",                // instead of slots: a replica can be down for a while
            ["wal_retrieve_retry_interval"] = "100ms",
            ["wal_receiver_status_interval"] = "1s",
            ["log_line_prefix"] = "%m [%p] ",
            ["lc_messages"] = "C",
            ["timezone"] = "UTC",
        };
        foreach (var (key, value) in setup.Options.Settings) _values[key] = value;
        _values["listen_addresses"] = ClusterSetup.Host;
        _values["port"] = port.ToString(CultureInfo.InvariantCulture);
        _values["unix_socket_directories"] = "";
        _values["dynamic_shared_memory_type"] = "mmap"; // files in the data directory: those in /dev/shm would outlive a kill -9
        _values["cluster_name"] = name;
        _values["logging_collector"] = "off";           // the log is the server's standard error
    }

    internal string this[string name]
    {
        set => _values[name] = value;
    }

    /// <summary>The port of the server that this one streams from; null for none.</summary>
    internal int? UpstreamPort
    {
        // A password file, because the server logs this setting when it changes.
        set => _values["primary_conninfo"] = value is { } port
            ? $"host={ClusterSetup.Host} port={port} user={ClusterSetup.Superuser} passfile='{_setup.PasswordFile}' application_name={_name}"
            : "";
    }

    /// <summary>Reads back what <see cref="WriteTo"/> wrote.</summary>
    internal void ReadFrom(string dataDirectory)
    {
        if (!File.Exists(FileOf(dataDirectory))) return;
        foreach (var line in File.ReadLines(FileOf(dataDirectory)))
        {
            if (line.Split(" = '", 2) is [var name, var value])
                _values[name] = value[..^1].Replace("''", "'", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal);
        }
    }

    internal void WriteTo(string dataDirectory)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in _values)
            text.Append(CultureInfo.InvariantCulture, $"{name} = '{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'\n");
        File.WriteAllText(FileOf(dataDirectory), text.ToString());
        File.SetUnixFileMode(FileOf(dataDirectory), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _setup.Account.Own(FileOf(dataDirectory));
    }

    internal static string FileOf(string dataDirectory) => dataDirectory + ".conf";
}
