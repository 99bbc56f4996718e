using System.Text.Json;

namespace ReplicaRouter.Testing.Cluster;

/// <summary>What another process needs to adopt a cluster. Which servers are running follows from their lock files.</summary>
internal sealed record ClusterState(
    string BinDirectory, string Database, string User, string Password, string SuperuserPassword, IReadOnlyDictionary<string, string> Settings,
    string Primary, IReadOnlyList<ServerState> Servers)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    internal static bool IsIn(string folder) => File.Exists(FileIn(folder));

    /// <exception cref="LocalClusterException">The folder contains no cluster, or its state file is damaged.</exception>
    internal static ClusterState Load(string folder)
    {
        if (!IsIn(folder)) throw new LocalClusterException($"There is no cluster in '{folder}'.");
        try
        {
            return JsonSerializer.Deserialize<ClusterState>(File.ReadAllText(FileIn(folder)), s_json)!;
        }
        catch (JsonException damaged)
        {
            throw new LocalClusterException($"'{FileIn(folder)}' is damaged. Stop the servers that run in '{folder}', and delete the folder.", damaged);
        }
    }

    internal void Save(string folder)
    {
        // Move the finished file into place, so that no process ever sees a partial one.
        var file = FileIn(folder) + ".new";
        File.WriteAllText(file, "");
        File.SetUnixFileMode(file, Private);    // before it holds passwords
        File.WriteAllText(file, JsonSerializer.Serialize(this, s_json));
        File.Move(file, FileIn(folder), overwrite: true);
    }

    /// <summary>Without the passwords.</summary>
    public override string ToString() => $"{Database} of {User}, primary {Primary}, {Servers.Count} servers";

    private static string FileIn(string folder) => Path.Combine(folder, "cluster.json");
}

/// <summary>One server of a <see cref="ClusterState"/>.</summary>
internal sealed record ServerState(string Name, int Port, string? Upstream, bool IsSynchronous);
