using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.Docs.Tests;

/// <summary>Writes the reference part of docs/guide/configuration.md from the options' types and their XML documentation.</summary>
internal static class ConfigurationPage
{
    private const string Begin = "<!-- generated -->";
    private const string End = "<!-- end -->";

    public static string Path { get; } = Repository.PathOf("docs/guide/configuration.md");

    /// <summary>Returns the page with its reference regenerated.</summary>
    public static string Renewed(string page) =>
        $"{page[..(page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)]}\n{Reference()}{page[page.IndexOf(End, StringComparison.Ordinal)..]}";

    private static string Reference()
    {
        var text = new StringBuilder();
        foreach (var section in OptionsSection.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {section.Title}\n\n{section.Place}. {XmlDocumentation.SummaryOf(section.Type)} (`{section.Type.Name}`)\n");
            foreach (var option in section.Options) Append(text, section, option);
        }

        return text.Append('\n').ToString();
    }

    private static void Append(StringBuilder text, OptionsSection section, PropertyInfo option)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n### {section.HeadingOf(option)}\n\n{XmlDocumentation.SummaryOf(option)}\n\n- {KindOf(option.PropertyType)}");
        if (DefaultOf(section, option) is { } value) text.Append(CultureInfo.InvariantCulture, $", `{value}` by default");
        text.Append('\n');
        if (XmlDocumentation.ValueOf(option) is { } said) text.Append(CultureInfo.InvariantCulture, $"- {said}\n");
        if (section.KeyOf(option) is { } key) text.Append(CultureInfo.InvariantCulture, $"- `{key}`, or the variable `{key.Replace(":", "__", StringComparison.Ordinal)}`\n");
    }

    private static string KindOf(Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        var kind when kind == typeof(TimeSpan) => "A time",
        var kind when kind == typeof(int) => "A number",
        var kind when kind == typeof(bool) => "`true` or `false`",
        var kind when kind == typeof(string) => "A text",
        { IsEnum: true } kind => $"One of {string.Join(", ", Enum.GetNames(kind).Select(name => $"`{name}`"))}",
        var kind when OptionsSection.IsCode(kind) => "Code",
        _ => "A list",
    };

    private static string? DefaultOf(OptionsSection section, PropertyInfo option) => option.GetValue(Activator.CreateInstance(section.Type)) switch
    {
        null or "" => null,
        bool value => value ? "true" : "false",
        string value => value,
        IEnumerable list => string.Join(", ", list.Cast<object>()) is { Length: > 0 } items ? items : null,
        IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
        _ => null,
    };
}
