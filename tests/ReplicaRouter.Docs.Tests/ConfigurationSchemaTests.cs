using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter.Docs.Tests;

/// <summary>Editors and the router accept the same configurations.</summary>
public partial class ConfigurationSchemaTests
{
    /// <summary>Similar to no existing key, so that the fault lists all keys.</summary>
    private const string Unknown = "Unknown quantity of keys";

    [Fact]
    public void The_schema_matches_the_options() => GeneratedFile.IsUpToDate(ConfigurationSchema.Path, ConfigurationSchema.Text());

    [Theory]
    [InlineData("ReplicaRouter", null)]
    [InlineData("ReplicaRouters:billing", "billing")]
    public void Each_section_has_exactly_the_keys_that_the_router_reads(string path, string? router)
    {
        var sections = SectionsBelow(path, Router()).ToList();
        Assert.Equal(9, sections.Count);
        Assert.All(sections, section =>
        {
            var fault = Assert.Single(FaultsOf(router, ($"{section.Path}:{Unknown}", "1")), text => text.StartsWith($"{section.Path}:{Unknown} is not known.", StringComparison.Ordinal));
            Assert.EndsWith($" Known keys: {string.Join(", ", Properties(section.Schema).Select(property => property.Key).Order(StringComparer.Ordinal))}.", fault, StringComparison.Ordinal);
            Assert.False((bool)section.Schema["additionalProperties"]!);
        });
    }

    [Fact]
    public void Values_that_the_schema_allows_are_accepted()
    {
        var values = SectionsBelow("ReplicaRouter", Router()).SelectMany(section => Properties(section.Schema).SelectMany(property => ValuesOf($"{section.Path}:{property.Key}", property.Value!))).ToList();
        Assert.True(values.Count > 35, $"{values.Count} values");
        Assert.All(values, value => Assert.DoesNotMatch(Refusal(), string.Join('\n', FaultsOf(null, value))));
    }

    [Theory]
    [InlineData("00:00:05", true)]
    [InlineData("0:0:5", true)]
    [InlineData("00:00:00.5", true)]
    [InlineData("1.00:00:00", true)]
    [InlineData("23:59:59.9999999", true)]
    [InlineData("5", false)]
    [InlineData("00:05", false)]
    [InlineData("5s", false)]
    [InlineData("1:00:00:00", false)]
    [InlineData("00:60:00", false)]
    [InlineData("00:00:60", false)]
    public void The_schema_and_the_router_accept_the_same_times(string time, bool isRight)
    {
        var pattern = Properties(Router())["MaxLag"]!["pattern"]!.GetValue<string>();
        Assert.Equal(isRight, Regex.IsMatch(time, pattern));
        Assert.Equal(isRight, !FaultsOf(null, ("ReplicaRouter:MaxLag", time)).Any(fault => Refusal().IsMatch(fault)));
    }

    private static JsonNode Router() => JsonNode.Parse(File.ReadAllText(ConfigurationSchema.Path))!["definitions"]!["replicaRouter"]!;

    private static JsonObject Properties(JsonNode section) => section["properties"]!.AsObject();

    /// <summary>Returns a section and all sections in it, including those by name.</summary>
    private static IEnumerable<(string Path, JsonNode Schema)> SectionsBelow(string path, JsonNode section)
    {
        yield return (path, section);
        foreach (var (key, value) in Properties(section))
        {
            if (Held($"{path}:{key}", value!) is not { } below) continue;
            foreach (var found in SectionsBelow(below.Path, below.Schema)) yield return found;
        }
    }

    /// <summary>Returns the section of a property, or of its entries by name; null if the property is an option.</summary>
    private static (string Path, JsonNode Schema)? Held(string path, JsonNode property) =>
        property["additionalProperties"] is JsonObject named ? ($"{path}:some-name", named) : property["properties"] is not null ? (path, property) : null;

    /// <summary>Returns values that the schema of an option allows; none for a section.</summary>
    private static IEnumerable<(string Key, string Value)> ValuesOf(string key, JsonNode option) => ((string?)option["type"], option["enum"]) switch
    {
        ("string", _) when option["pattern"] is not null => [(key, "00:00:05")],
        ("string", _) => [(key, "text")],
        ("integer", _) => [(key, ((int?)option["minimum"] ?? 1).ToString(CultureInfo.InvariantCulture)), (key, ((int?)option["maximum"] ?? 2).ToString(CultureInfo.InvariantCulture))],
        ("boolean", _) => [(key, "true"), (key, "false")],
        ("array", _) => [($"{key}:0", "text")],
        (_, JsonArray names) => names.Select(name => (key, name!.GetValue<string>())),
        _ => [],
    };

    /// <summary>Returns the faults of a configuration with one value.</summary>
    private static IReadOnlyList<string> FaultsOf(string? router, (string Key, string Value) value)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create(value.Key, (string?)value.Value)]).Build();
        var services = new ServiceCollection();
        _ = router is null ? services.AddReplicaRouter(configuration) : services.AddReplicaRouter(router, configuration);
        using var provider = services.BuildServiceProvider();
        // Always has a fault, as no host is configured.
        return Assert.Throws<DatabaseRouterConfigurationException>(() => router is null ? provider.GetRequiredService<DatabaseRouter>() : provider.GetRequiredKeyedService<DatabaseRouter>(router)).Faults;
    }

    /// <summary>Matches the faults of reading a key or value, not those of the validation after that.</summary>
    [GeneratedRegex("is not known|is a section|takes one value|is a list|is not a valid time|is not a whole number|is neither true nor false|is not one of the allowed names")]
    private static partial Regex Refusal();
}
