using System.Globalization;
using System.Text.RegularExpressions;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Testing.Cluster;

/// <summary>An installation of PostgreSQL 15 to 18.</summary>
internal sealed partial record PostgresBinaries(string Folder, int Major)
{
    internal const string FolderVariable = "REPLICAROUTER_PG_BIN";
    private const string DebianFolder = "/usr/lib/postgresql";

    internal string Postgres => Path.Combine(Folder, "postgres");

    internal string InitDb => Path.Combine(Folder, "initdb");

    internal static async Task<PostgresBinaries> FindAsync(LocalClusterOptions options, ServerAccount account, CancellationToken cancellationToken)
    {
        List<string> looked = [];
        foreach (var folder in Folders(options))
        {
            var (major, remark) = await ReadMajorAsync(folder, account, cancellationToken).ConfigureAwait(false);
            if (major is { } found && (options.Version ?? found) == found) return new(folder, found);
            looked.Add($"{folder} ({remark})");
        }
        var wanted = options.Version is { } version ? $"PostgreSQL {version}" : "PostgreSQL 15 to 18";
        throw new LocalClusterException(
            $"{wanted} was not found. Looked in: {string.Join(", ", looked)}. Install it with 'apt-get install postgresql', or set the folder "
            + $"of its 'postgres' and 'initdb' in {nameof(LocalClusterOptions)}.{nameof(LocalClusterOptions.BinDirectory)} or in the variable {FolderVariable}.");
    }

    private static IEnumerable<string> Folders(LocalClusterOptions options)
    {
        if (options.BinDirectory is { } chosen) return [chosen];
        var named = Environment.GetEnvironmentVariable(FolderVariable);
        var debian = Directory.Exists(DebianFolder)
            ? Directory.GetDirectories(DebianFolder)
                .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var major) ? major : 0)
                .Select(folder => Path.Combine(folder, "bin"))
            : [$"{DebianFolder}/*/bin"];
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Where(folder => File.Exists(Path.Combine(folder, "postgres")));
        return [.. string.IsNullOrEmpty(named) ? [] : new[] { named }, .. debian, .. path, "PATH"];
    }

    private static async Task<(int? Major, string Remark)> ReadMajorAsync(string folder, ServerAccount account, CancellationToken cancellationToken)
    {
        foreach (var program in (string[])["postgres", "initdb"])
        {
            if (!File.Exists(Path.Combine(folder, program))) return (null, $"no '{program}'");
        }
        var version = account.Run(Path.Combine(folder, "postgres"), ["--version"], "/");
        var (exitCode, output) = await Command.RunAsync(version, cancellationToken).ConfigureAwait(false);
        if (exitCode != 0) return (null, $"user '{account.Name}' can't run it: {output}");
        var match = VersionPattern().Match(output);
        var major = match.Success ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : 0;
        return (major is >= 15 and <= 18 ? major : null, output);
    }

    [GeneratedRegex(@"PostgreSQL\) (\d+)")]
    private static partial Regex VersionPattern();
}
