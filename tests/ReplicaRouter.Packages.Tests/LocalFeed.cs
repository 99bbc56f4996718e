using System.Globalization;
using System.IO.Compression;
using ReplicaRouter.RepositoryTests;

[assembly: AssemblyFixture(typeof(ReplicaRouter.Packages.Tests.LocalFeed))]

namespace ReplicaRouter.Packages.Tests;

/// <summary>The packages, packed once for all tests, and a folder for new applications that use them.</summary>
/// <remarks>Each run packs a new version, so that no cache can provide an earlier one.</remarks>
public sealed class LocalFeed : IAsyncLifetime
{
    private static readonly Dictionary<string, string> s_none = [];
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("replicarouter-packages-");

    public string Version { get; } = VersionAt(TimeProvider.System.GetUtcNow());

    public string Folder => Path.Combine(_root.FullName, "feed");

    /// <summary>Paths of the packages by id.</summary>
    public IReadOnlyDictionary<string, string> Packages => Directory.GetFiles(Folder, "*.nupkg").ToDictionary(path => Path.GetFileName(path)[..^(Version.Length + ".nupkg".Length + 1)]);

    /// <summary>Variables of commands in <see cref="NewFolder"/>.</summary>
    public Dictionary<string, string> Variables => new() { ["NUGET_PACKAGES"] = Path.Combine(_root.FullName, "packages") };

    public async ValueTask InitializeAsync()
    {
        // Applies to every application in this folder, in addition to the machine's sources. Packages that the machine already has are not fetched again.
        await File.WriteAllTextAsync(Path.Combine(_root.FullName, "nuget.config"),
            $"""
            <configuration>
              <packageSources><add key="replica-router" value="{Folder}" /></packageSources>
              <fallbackPackageFolders><add key="machine" value="{MachinePackages}" /></fallbackPackageFolders>
            </configuration>
            """);
        await PackAsync(Folder);
    }

    /// <summary>Packs everything after a clean build; the paths of the build output are always the same.</summary>
    public async Task PackAsync(string folder)
    {
        var artifacts = Path.Combine(_root.FullName, "artifacts");
        if (Directory.Exists(artifacts)) Directory.Delete(artifacts, recursive: true);
        // Analyzers do not affect the packages, and the normal build runs them.
        await Cli.RunAsync(_root.FullName, s_none, Repository.PathOf("eng/pack"), folder, "--artifacts-path", artifacts, $"-p:VersionPrefix={Version}", "-p:RunAnalyzers=false");
    }

    /// <summary>Creates a folder that uses the NuGet configuration with these packages.</summary>
    public string NewFolder(string name) => _root.CreateSubdirectory(name).FullName;

    /// <summary>Returns the assemblies, symbols and documentation of a package, which must be identical in two builds.</summary>
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

    // Each part of an assembly version is a number below 65,535.
    private static string VersionAt(DateTimeOffset now) => string.Create(CultureInfo.InvariantCulture, $"0.{now.DayOfYear}.{(int)now.TimeOfDay.TotalSeconds / 2}");

    private static string MachinePackages => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
}
