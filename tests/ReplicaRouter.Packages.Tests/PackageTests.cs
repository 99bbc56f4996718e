using System.IO.Compression;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.Packages.Tests;

/// <summary>The contents of the packages.</summary>
public sealed partial class PackageTests(LocalFeed feed)
{
    [Fact]
    public void Every_shipped_project_has_a_package_of_its_name_with_symbols()
    {
        var projects = Directory.GetDirectories(Repository.PathOf("src")).Where(folder => Directory.GetFiles(folder, "*.csproj").Length == 1).Select(Path.GetFileName).Order(StringComparer.Ordinal);
        Assert.Equal(projects, feed.Packages.Keys.Order(StringComparer.Ordinal));
        Assert.All(feed.Packages.Values, package =>
        {
            using var symbols = ZipFile.OpenRead(Path.ChangeExtension(package, ".snupkg"));
            Assert.Contains(symbols.Entries, entry => entry.Name.EndsWith(".pdb", StringComparison.Ordinal));
        });
    }

    [Fact]
    public void Every_package_has_metadata_and_the_files_that_it_names() => Assert.All(feed.Packages, package =>
    {
        using var archive = ZipFile.OpenRead(package.Value);
        var metadata = Metadata(archive);
        string? Value(string name) => metadata.Element(metadata.Name.Namespace + name)?.Value;
        Assert.Equal(package.Key, Value("id"));
        Assert.Equal(feed.Version, Value("version"));
        Assert.Equal("MIT", Value("license"));
        Assert.Equal("ReplicaRouter contributors", Value("authors"));
        Assert.Contains("postgresql", Value("tags"), StringComparison.Ordinal);
        Assert.True(Value("description")!.Length > 40, $"{package.Key} has a description of at most 40 characters");
        var files = archive.Entries.Select(entry => entry.FullName).ToList();
        Assert.All(["LICENSE", "CHANGELOG.md", Value("readme")!, Value("icon")!], name => Assert.Contains(name, files));
        Assert.Contains(files, file => file.EndsWith($"/{package.Key}.dll", StringComparison.Ordinal));
    });

    [Fact]
    public void Package_readmes_are_the_repository_readme_without_relative_links() => Assert.All(feed.Packages.Values, package =>
    {
        using var archive = ZipFile.OpenRead(package);
        var packed = TextOf(archive, "README.md");
        Assert.DoesNotContain(Link().Matches(packed), link => !link.Groups[1].Value.StartsWith("https://", StringComparison.Ordinal));
        // Everything else is unchanged.
        var repository = Link().Replace(File.ReadAllText(Repository.PathOf("README.md")), link => link.Groups[1].Value.StartsWith("https://", StringComparison.Ordinal) ? link.Value : "]");
        Assert.StartsWith(repository.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal).TrimEnd(), packed.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal), StringComparison.Ordinal);
    });

    [Fact]
    public void Packages_do_not_depend_on_build_tools() => Assert.All(feed.Packages.Values, package =>
    {
        using var archive = ZipFile.OpenRead(package);
        var dependencies = Metadata(archive).Descendants().Where(element => element.Name.LocalName == "dependency").Select(element => (string)element.Attribute("id")!).ToList();
        Assert.DoesNotContain(dependencies, id => id.Contains("Analyzers", StringComparison.Ordinal) || id.Contains("ILLink", StringComparison.Ordinal));
    });

    [Fact]
    public void Packages_pin_each_other_to_the_exact_version_and_Npgsql_below_11() => Assert.All(feed.Packages.Values, package =>
    {
        using var archive = ZipFile.OpenRead(package);
        foreach (var dependency in Metadata(archive).Descendants().Where(element => element.Name.LocalName == "dependency"))
        {
            var (id, version) = ((string)dependency.Attribute("id")!, (string)dependency.Attribute("version")!);
            if (feed.Packages.ContainsKey(id)) Assert.Equal($"[{feed.Version}]", version);
            else if (id.StartsWith("Npgsql", StringComparison.Ordinal)) Assert.EndsWith(", 11.0.0)", version, StringComparison.Ordinal);
        }
    });

    [Fact]
    public void The_router_package_contains_the_configuration_schema_and_its_file_pattern()
    {
        using var archive = ZipFile.OpenRead(feed.Packages["ReplicaRouter"]);
        Assert.Equal(File.ReadAllText(Repository.PathOf("src/ReplicaRouter/ConfigurationSchema.json")), TextOf(archive, "ConfigurationSchema.json"));
        var segment = Assert.Single(XDocument.Parse(TextOf(archive, "buildTransitive/ReplicaRouter.targets")).Descendants("JsonSchemaSegment"));
        Assert.Equal("$(MSBuildThisFileDirectory)../ConfigurationSchema.json", (string?)segment.Attribute("Include"));
        Assert.Equal(@"appsettings\..*json", (string?)segment.Attribute("FilePathPattern"));
    }

    // Slow: builds all shipped projects again.
    [Fact]
    public async Task Packing_twice_gives_identical_assemblies()
    {
        var again = feed.NewFolder("again");
        await feed.PackAsync(again);
        Assert.All(Directory.GetFiles(feed.Folder), package =>
        {
            var (first, second) = (LocalFeed.AssembliesOf(package), LocalFeed.AssembliesOf(Path.Combine(again, Path.GetFileName(package))));
            Assert.NotEmpty(first);
            Assert.Equal(first.Keys, second.Keys);
            Assert.All(first, file => Assert.True(file.Value.AsSpan().SequenceEqual(second[file.Key]), $"{Path.GetFileName(package)}: {file.Key} differs"));
        });
    }

    private static XElement Metadata(ZipArchive package)
    {
        using var stream = package.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        return XDocument.Load(stream).Root!.Elements().Single(element => element.Name.LocalName == "metadata");
    }

    private static string TextOf(ZipArchive package, string file)
    {
        using var reader = new StreamReader(package.GetEntry(file)!.Open());
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
