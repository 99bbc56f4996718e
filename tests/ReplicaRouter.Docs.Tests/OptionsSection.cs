using System.Reflection;

namespace ReplicaRouter.Docs.Tests;

/// <summary>A type of options, and where its values are configured.</summary>
/// <param name="Key">The configuration key of the section; null if it is set in code only.</param>
internal sealed record OptionsSection(Type Type, string Title, string? Key, string Place)
{
    /// <summary>The router's own options.</summary>
    public static OptionsSection Router { get; } = new(typeof(DatabaseRouterOptions), "The router", DatabaseRouterOptions.SectionName, $"`{DatabaseRouterOptions.SectionName}`");

    /// <summary>The router's options and all nested ones, then those of the web package.</summary>
    public static IEnumerable<OptionsSection> All =>
    [
        .. Below(Router),
        new(typeof(DatabaseRouterWebOptions), "Web applications", null,
            "`services.AddReplicaRouterWeb(options => ...)`, for a [further router](several-routers.md) `services.AddReplicaRouterWeb(\"billing\", options => ...)`"),
        new(typeof(DatabaseRouterDashboardOptions), "The dashboard", null, "`app.MapReplicaRouterDashboard(path, options => ...)`"),
    ];

    public IEnumerable<PropertyInfo> Options => Properties.Where(property => PartOf(property) is null);

    /// <summary>Returns the option's heading, which must be unique on the page for links.</summary>
    public string HeadingOf(PropertyInfo option) =>
        $"{Key}:{option.Name}".Replace(DatabaseRouterOptions.SectionName + ":", "", StringComparison.Ordinal).Replace("<name>", "*name*", StringComparison.Ordinal).TrimStart(':');

    /// <summary>Whether options of a type can be set in code only.</summary>
    public static bool IsCode(Type type) => type.IsAssignableTo(typeof(Delegate)) || type == typeof(TimeProvider);

    /// <summary>Returns the option's configuration key; null if it can be set in code only.</summary>
    public string? KeyOf(PropertyInfo option) => Key is null || IsCode(option.PropertyType) ? null
        : $"{Key}:{option.Name}{(option.PropertyType.IsAssignableTo(typeof(IEnumerable<string>)) ? ":<n>" : "")}";

    /// <summary>The options and the nested sections.</summary>
    public IEnumerable<PropertyInfo> Properties => Type.GetProperties(BindingFlags.Instance | BindingFlags.Public).Where(property => property.CanRead).OrderBy(property => property.MetadataToken);

    private static IEnumerable<OptionsSection> Below(OptionsSection section) =>
        section.Properties.Select(property => section.SectionOf(property)).OfType<OptionsSection>().SelectMany(Below).Prepend(section);

    /// <summary>Returns the section of a property that holds options, directly or by name; null for an option.</summary>
    public OptionsSection? SectionOf(PropertyInfo property)
    {
        if (PartOf(property) is not { } type) return null;
        var key = $"{Key}:{property.Name}{(type == property.PropertyType ? "" : ":<name>")}";
        return new(type, property.Name, key, $"`{key}`");
    }

    /// <summary>Returns the type of options that a property holds, directly or by name; null for an option.</summary>
    private static Type? PartOf(PropertyInfo property)
    {
        var type = property.PropertyType is { IsGenericType: true } generic && generic.GetGenericTypeDefinition() == typeof(IDictionary<,>) ? generic.GetGenericArguments()[1] : property.PropertyType;
        return type.IsClass && type.Assembly == typeof(DatabaseRouterOptions).Assembly ? type : null;
    }
}
