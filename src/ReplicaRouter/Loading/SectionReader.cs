using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace ReplicaRouter.Loading;

/// <summary>
/// Reads configuration sections into options: a key sets the public property of the same name. Collects faults: values that are not of the option's type, and
/// keys without an option. No fault repeats a value.
/// </summary>
internal sealed class SectionReader(List<string> faults)
{
    /// <summary>The types of options with a single value, and the fault of an invalid text. Properties of other types can only be set in code.</summary>
    private static readonly Dictionary<Type, (Func<string, object?> Parse, string Problem)> Types = new()
    {
        [typeof(string)] = (text => text, ""),
        [typeof(TimeSpan)] = (text => Time(text), "is not a valid time. Write hh:mm:ss, such as 00:00:05 for 5 seconds, 00:00:00.5 for half a second, or 1.00:00:00 for a day"),
        [typeof(int)] = (text => Number(text), "is not a whole number. Write only digits, such as 20"),
        [typeof(bool)] = (text => bool.TryParse(text, out var flag) ? flag : null, "is neither true nor false. Write one of them"),
        [typeof(Consistency)] = (Choice<Consistency>, $"is not one of the allowed names. Write one of {string.Join(", ", Enum.GetNames<Consistency>())}"),
    };

    /// <summary>Reads a section, and reports the keys that were not read: usually typos, which would otherwise have no effect.</summary>
    public void Read<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] T>(IConfigurationSection section, T options) where T : class
    {
        if (!string.IsNullOrWhiteSpace(section.Value)) faults.Add(ValueOfSection(section));
        string[] known = [.. typeof(T).GetProperties().Where(property => TryRead(section.GetSection(property.Name), property, options)).Select(property => property.Name)];
        foreach (var child in section.GetChildren().Where(child => !known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)))
        {
            var which = Identifier.Is(child.Key) ? $"{child.Path} is not known." : $"{section.Path} holds a key that is not known.";
            var meant = NearestName.Of(child.Key, known) is { } near ? $"Did you mean '{near}'?" : $"Known keys: {string.Join(", ", known.Order(StringComparer.Ordinal))}.";
            faults.Add($"{which} {meant}");
        }
    }

    /// <returns>Whether a configuration can set the property.</returns>
    private bool TryRead(IConfigurationSection section, PropertyInfo property, object options)
    {
        switch (property.GetValue(options))
        {
            case IList<string> list: ReadList(section, list); break;
            case IDictionary<string, DatabaseHostOptions> hosts: ReadNamed(section, "host", hosts); break;
            case IDictionary<string, DatabaseRouteOptions> routes: ReadNamed(section, "route", routes); break;
            case HealthOptions health: Read(section, health); break;
            case PrimaryProtectionOptions protection: Read(section, protection); break;
            case DiscoveryOptions discovery: Read(section, discovery); break;
            case DnsDiscoveryOptions dns: Read(section, dns); break;
            case PatroniDiscoveryOptions patroni: Read(section, patroni); break;
            case AuroraDiscoveryOptions aurora: Read(section, aurora); break;
            default:
                if (!Types.TryGetValue(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType, out var type)) return false;
                ReadValue(section, property, options, type.Parse, type.Problem);
                break;
        }

        return true;
    }

    private void ReadValue(IConfigurationSection section, PropertyInfo property, object options, Func<string, object?> parse, string problem)
    {
        if (section.GetChildren().Any()) Refuse(section, "is a section, but takes one value");
        // An empty value counts as not set, such as that of an empty variable.
        var text = property.PropertyType == typeof(string) ? section.Value : section.Value?.Trim() is { Length: > 0 } trimmed ? trimmed : null;
        if (text is null) return;
        if (parse(text) is { } value) property.SetValue(options, value);
        else Refuse(section, problem);
    }

    private void ReadList(IConfigurationSection section, IList<string> into)
    {
        if (!string.IsNullOrWhiteSpace(section.Value)) Refuse(section, $"has a value, but is a list. Write its first entry as {section.Path}:0");
        foreach (var text in section.GetChildren().Select(entry => entry.Value).OfType<string>()) into.Add(text);
    }

    /// <summary>Reads a section whose keys are user-defined names, each with its own section.</summary>
    private void ReadNamed<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] T>(IConfigurationSection section, string what, IDictionary<string, T> into)
        where T : class, new()
    {
        if (!string.IsNullOrWhiteSpace(section.Value)) Refuse(section, $"has a value, but holds {what}s by name. Write {section.Path}:<name>:<key>");
        foreach (var named in section.GetChildren())
        {
            if (!Identifier.Is(named.Key)) faults.Add($"{section.Path} holds a {what} with an invalid name. {Identifier.Rule}");
            else if (named.Value is not null) faults.Add(ValueOfSection(named));
            else Read(named, into.TryGetValue(named.Key, out var existing) ? existing : into[named.Key] = new T());
        }
    }

    /// <remarks>Refuses a bare number and 24:00:00, which .NET parses as days.</remarks>
    private static TimeSpan? Time(string text) =>
        text.Count(c => c == ':') == 2 && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time)
            && (time.Days == 0 || text.Split(':')[0].Contains('.', StringComparison.Ordinal)) ? time : null;

    private static int? Number(string text) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static object? Choice<T>(string text) where T : struct, Enum =>
        Enum.GetNames<T>().Contains(text, StringComparer.OrdinalIgnoreCase) ? Enum.Parse<T>(text, ignoreCase: true) : null;

    private void Refuse(IConfigurationSection section, string problem) => faults.Add($"{section.Path} {problem}.");

    private static string ValueOfSection(IConfigurationSection section) => $"{section.Path} has a value, but is a section. Set its keys, such as {section.Path}:<key>.";
}
