using System.CommandLine;
using ReplicaRouter.Testing;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Clusters;

/// <summary>The folders of the clusters that <c>cluster up</c> started, one per name.</summary>
internal sealed class ClusterFolders
{
    /// <summary>The cluster name that is used when none is given.</summary>
    public const string DefaultName = "dev";

    private readonly string _directory;

    public ClusterFolders(string? directory) => _directory = directory is null ? UsualDirectory() : Path.GetFullPath(directory);

    public static Option<string?> Option() => new("--directory")
    {
        Description = "The folder of all local clusters. Default: the user's local data folder, such as ~/.local/share/replica-router; for root, /var/lib/replica-router.",
        HelpName = "PATH",
    };

    public static Option<string> NameOption() => new("--name")
    {
        Description = "The cluster's name: letters, digits and dashes.",
        DefaultValueFactory = _ => DefaultName,
        HelpName = "NAME",
    };

    /// <summary>The names of the existing clusters.</summary>
    public IReadOnlyList<string> Names =>
        Directory.Exists(_directory) ? [.. Directory.GetDirectories(_directory).Select(folder => Path.GetFileName(folder)).Where(IsName).Order(StringComparer.Ordinal)] : [];

    public string Of(string name) => IsName(name) ? Path.Combine(_directory, name)
        : throw new ToolException($"'{name}' is not a valid cluster name. Use 1 to 40 letters, digits and dashes, and do not start with a dash.");

    public bool Has(string name) => Directory.Exists(Of(name));

    /// <summary>Opens an existing cluster as it is: servers that are down stay down.</summary>
    public async Task<LocalCluster> OpenAsync(string name, CancellationToken ct)
    {
        if (Has(name)) return await LocalCluster.OpenAsync(Of(name), ct);
        var known = Names.Count == 0 ? "no clusters exist" : $"existing clusters: {string.Join(", ", Names)}";
        throw new ToolException($"There is no local cluster '{name}' in {_directory} ({known}). 'replica-router cluster up --name {name}' starts one.");
    }

    private static bool IsName(string name) => name.Length is > 0 and <= 40 && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && name[0] != '-';

    /// <remarks>Root's servers run as another user, who cannot read root's home.</remarks>
    private static string UsualDirectory() => Environment.IsPrivilegedProcess
        ? "/var/lib/replica-router"
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "replica-router");
}
