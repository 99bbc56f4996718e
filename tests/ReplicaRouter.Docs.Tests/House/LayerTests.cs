using System.Text.RegularExpressions;
using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.Docs.Tests.House;

/// <summary>The folders of the core are layers.</summary>
public partial class LayerTests
{
    private static readonly string s_core = typeof(DatabaseRouter).Assembly.Location;

    [Fact]
    public void No_type_refers_to_a_layer_above_its_own() => Nothing.In(new Layers(Layers.Order).Upward(s_core));

    [Fact]
    public void A_reference_upwards_is_found()
    {
        var swapped = Layers.Order.ToList();
        (swapped[swapped.IndexOf("Hosts")], swapped[swapped.IndexOf("Topology")]) = ("Topology", "Hosts");
        Assert.Contains("Topology/TopologySnapshot -> Hosts/HostSnapshot", new Layers(swapped).Upward(s_core));
    }

    [Fact]
    public void Each_folder_is_a_layer_and_the_namespace_of_its_internal_types()
    {
        var strangers = Layers.Sources()
            .Where(path => !PublicType().IsMatch(File.ReadAllText(path)))
            .Where(path => !File.ReadAllText(path).Contains($"\nnamespace {NamespaceOf(path)};", StringComparison.Ordinal) && !File.ReadAllText(path).StartsWith($"namespace {NamespaceOf(path)};", StringComparison.Ordinal));
        Nothing.In(strangers.Select(Repository.NameOf));
        Assert.Equal(Layers.Order.Order(StringComparer.Ordinal), Layers.Sources().Select(Layers.FolderOf).Where(folder => folder.Length > 0).Distinct().Order(StringComparer.Ordinal));
    }

    private static string NamespaceOf(string path) => $"ReplicaRouter.{Layers.FolderOf(path)}".TrimEnd('.');

    [GeneratedRegex("^public ", RegexOptions.Multiline)]
    private static partial Regex PublicType();
}
