using System.Globalization;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.Docs.Tests;

/// <summary>Writes src/ReplicaRouter/ConfigurationSchema.json, by which editors complete and check appsettings.json, from the options' types and XML documentation.</summary>
/// <remarks>Editors merge it with the schemas of other packages, so its definition needs a unique name.</remarks>
internal static class ConfigurationSchema
{
    private const string Definition = "replicaRouter";

    /// <summary>A subset of what <see cref="TimeSpan"/> parses: requires hours, minutes and seconds, so that a bare number is not read as days.</summary>
    private const string Time = @"^(\d{1,7}\.)?([01]?\d|2[0-3]):[0-5]?\d:[0-5]?\d(\.\d{1,7})?$";

    private static readonly JsonSerializerOptions s_asText = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Path { get; } = Repository.PathOf("src/ReplicaRouter/ConfigurationSchema.json");

    public static string Text() => new JsonObject
    {
        ["definitions"] = new JsonObject { [Definition] = Section(OptionsSection.Router, XmlDocumentation.SummaryOf(typeof(DatabaseRouterOptions))) },
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            [DatabaseRouterOptions.SectionName] = Reference(),
            [DatabaseRouterOptions.SectionName + "s"] = ByName("Further routers, each of another cluster, by name.", Reference()),
        },
    }.ToJsonString(s_asText) + "\n";

    private static JsonObject Reference() => new() { ["$ref"] = $"#/definitions/{Definition}" };

    /// <summary>Disallows additional properties, because the router does not start with unknown keys.</summary>
    private static JsonObject Section(OptionsSection section, string description)
    {
        var properties = new JsonObject();
        foreach (var property in section.Properties)
        {
            if (section.SectionOf(property) is { } part) properties[property.Name] = Part(property, part);
            else if (section.KeyOf(property) is not null) properties[property.Name] = Option(section, property);
        }

        return new JsonObject { ["type"] = "object", ["description"] = Plain(description), ["properties"] = properties, ["additionalProperties"] = false };
    }

    private static JsonObject Part(PropertyInfo property, OptionsSection part) => part.Type == property.PropertyType
        ? Section(part, Description(property))
        : ByName(Description(property), Section(part, XmlDocumentation.SummaryOf(part.Type)));

    private static JsonObject ByName(string description, JsonObject each) => new() { ["type"] = "object", ["description"] = Plain(description), ["additionalProperties"] = each };

    private static JsonObject Option(OptionsSection section, PropertyInfo option)
    {
        var schema = KindOf(option);
        schema["description"] = Plain(Description(option));
        if (DefaultOf(section, option) is { } value) schema["default"] = value;
        return schema;
    }

    private static JsonObject KindOf(PropertyInfo option) => (Nullable.GetUnderlyingType(option.PropertyType) ?? option.PropertyType) switch
    {
        var type when type == typeof(TimeSpan) => new JsonObject { ["type"] = "string", ["pattern"] = Time },
        var type when type == typeof(int) => Number(option),
        var type when type == typeof(bool) => new JsonObject { ["type"] = "boolean" },
        var type when type == typeof(string) => new JsonObject { ["type"] = "string" },
        { IsEnum: true } type => new JsonObject { ["enum"] = new JsonArray(Enum.GetNames(type).Select(name => JsonValue.Create(name)).ToArray<JsonNode?>()) },
        var type when type.IsAssignableTo(typeof(IEnumerable<string>)) => new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string" } },
        var type => throw new InvalidOperationException($"{option.DeclaringType!.Name}.{option.Name} is a {type.Name}, which the schema does not support."),
    };

    private static JsonObject Number(PropertyInfo option)
    {
        var number = new JsonObject { ["type"] = "integer" };
        if (DocumentedRange.Of(option) is not { } range) return number;
        number["minimum"] = int.Parse(range.Least, CultureInfo.InvariantCulture);
        number["maximum"] = int.Parse(range.Most, CultureInfo.InvariantCulture);
        return number;
    }

    private static JsonValue? DefaultOf(OptionsSection section, PropertyInfo option) => option.GetValue(Activator.CreateInstance(section.Type)) switch
    {
        bool value => JsonValue.Create(value),
        int value => JsonValue.Create(value),
        TimeSpan value => JsonValue.Create(value.ToString("c", CultureInfo.InvariantCulture)),
        _ => null,
    };

    private static string Description(PropertyInfo property) => $"{XmlDocumentation.SummaryOf(property)} {XmlDocumentation.ValueOf(property)}".TrimEnd();

    /// <summary>Converts Markdown to the plain text of descriptions.</summary>
    private static string Plain(string markdown) => markdown.Replace('`', '\'').Replace("\\<", "<", StringComparison.Ordinal);
}
