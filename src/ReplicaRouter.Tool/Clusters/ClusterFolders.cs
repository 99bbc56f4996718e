using System.CommandLine;
using ReplicaRouter.Testing;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Clusters;

/// <summary>The folders of the clusters that <c>cluster up</c> started, one a name.</summary>
internal sealed class ClusterFolders
{
    /// <summary>The name of a cluster that is given none.</summary>
    public const string DefaultName = "dev";

    private readonly string _directory;

    public ClusterFolders(string? directory) => _directory = directory is null ? UsualDirectory() : Path.GetFullPath(directory);

    public static Option<string?> Option() => new("--directory")
    {
        Description = "Where local clusters are kept. Default: the user's local data, as in ~/.local/share/replica-router; for root /var/lib/replica-router.",
        HelpName = "PATH",
    };

    public static Option<string> NameOption() => new("--name")
    {
        Description = "The cluster's name: letters, digits and dashes.",
        DefaultValueFactory = _ => DefaultName,
        HelpName = "NAME",
    };

    /// <summary>The names of the clusters that there are.</summary>
    public IReadOnlyList<string> Names =>
        Directory.Exists(_directory) ? [.. Directory.GetDirectories(_directory).Select(folder => Path.GetFileName(folder)).Where(IsName).Order(StringComparer.Ordinal)] : [];

    public string Of(string name) => IsName(name) ? Path.Combine(_directory, name)
        : throw new ToolException($"'{name}' is no name of a cluster: write 1 to 40 letters, digits and dashes.");

    public bool Has(string name) => Directory.Exists(Of(name));

    /// <summary>Takes up a cluster, as it is.</summary>
    public async Task<LocalCluster> OpenAsync(string name, CancellationToken ct)
    {
        if (Has(name)) return await LocalCluster.OpenAsync(Of(name), ct);
        var known = Names.Count == 0 ? "there is none" : $"there are: {string.Join(", ", Names)}";
        throw new ToolException($"There is no local cluster '{name}' in {_directory} ({known}). 'replica-router cluster up --name {name}' starts one.");
    }

    private static bool IsName(string name) => name.Length is > 0 and <= 40 && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && name[0] != '-';

    /// <remarks>The servers of root run as another user, who can't look into root's home.</remarks>
    private static string UsualDirectory() => Environment.IsPrivilegedProcess
        ? "/var/lib/replica-router"
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "replica-router");
}
