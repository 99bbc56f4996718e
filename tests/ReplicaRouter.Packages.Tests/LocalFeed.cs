using System.Globalization;
using System.IO.Compression;
using ReplicaRouter.RepositoryTests;

[assembly: AssemblyFixture(typeof(ReplicaRouter.Packages.Tests.LocalFeed))]

namespace ReplicaRouter.Packages.Tests;

/// <summary>The packages, packed once for all tests, and a folder for new applications that get them from there.</summary>
/// <remarks>The version is a new one each time, so that no cache of an earlier one can answer.</remarks>
public sealed class LocalFeed : IAsyncLifetime
{
    private static readonly Dictionary<string, string> s_none = [];
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("replicarouter-packages-");

    public string Version { get; } = VersionAt(TimeProvider.System.GetUtcNow());

    public string Folder => Path.Combine(_root.FullName, "feed");

    /// <summary>The packages by id.</summary>
    public IReadOnlyDictionary<string, string> Packages => Directory.GetFiles(Folder, "*.nupkg").ToDictionary(path => Path.GetFileName(path)[..^(Version.Length + ".nupkg".Length + 1)]);

    /// <summary>Variables of commands in <see cref="NewFolder"/>.</summary>
    public Dictionary<string, string> Variables => new() { ["NUGET_PACKAGES"] = Path.Combine(_root.FullName, "packages") };

    public async ValueTask InitializeAsync()
    {
        // Found by every application below; the machine's own sources go on counting. What the machine has fetched before need not be fetched again.
        await File.WriteAllTextAsync(Path.Combine(_root.FullName, "nuget.config"),
            $"""
            <configuration>
              <packageSources><add key="replica-router" value="{Folder}" /></packageSources>
              <fallbackPackageFolders><add key="machine" value="{MachinePackages}" /></fallbackPackageFolders>
            </configuration>
            """);
        await PackAsync(Folder);
    }

    /// <summary>Packs everything from nothing; the paths of what is built are the same each time.</summary>
    public async Task PackAsync(string folder)
    {
        var artifacts = Path.Combine(_root.FullName, "artifacts");
        if (Directory.Exists(artifacts)) Directory.Delete(artifacts, recursive: true);
        // Analyzers change nothing that is packed, and the build runs them anyway.
        await Cli.RunAsync(_root.FullName, s_none, Repository.PathOf("eng/pack"), folder, "--artifacts-path", artifacts, $"-p:VersionPrefix={Version}", "-p:RunAnalyzers=false");
    }

    /// <summary>A folder beside the configuration that names the packages.</summary>
    public string NewFolder(string name) => _root.CreateSubdirectory(name).FullName;

    /// <summary>The files of a package that are a program's: those that two packings must have in common to the last bit.</summary>
    public static SortedDictionary<string, byte[]> AssembliesOf(string package)
    {
        using var archive = ZipFile.OpenRead(package);
        var assemblies = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var entry in archive.Entries.Where(entry => Path.GetExtension(entry.Name) is ".dll" or ".pdb" or ".xml"))
        {
            using var content = new MemoryStream();
            using var stream = entry.Open();
            stream.CopyTo(content);
            assemblies[entry.FullName] = content.ToArray();
        }

        return assemblies;
    }

    public ValueTask DisposeAsync()
    {
        _root.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    // A part of an assembly's version is a number below 65,535.
    private static string VersionAt(DateTimeOffset now) => string.Create(CultureInfo.InvariantCulture, $"0.{now.DayOfYear}.{(int)now.TimeOfDay.TotalSeconds / 2}");

    private static string MachinePackages => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
}
