using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace ReplicaRouter.Loading;

/// <summary>
/// Reads sections of a configuration into options: a key sets the public property of its name. Collects what is wrong: values that are not of their type, and
/// keys that no option has. No fault repeats a value.
/// </summary>
internal sealed class SectionReader(List<string> faults)
{
    /// <summary>The types of options that take one value, and the fault of a text that is none. Properties of other types are set in code only.</summary>
    private static readonly Dictionary<Type, (Func<string, object?> Parse, string Problem)> Types = new()
    {
        [typeof(string)] = (text => text, ""),
        [typeof(TimeSpan)] = (text => Time(text), "is not a valid time. Write hh:mm:ss, as 00:00:05 for 5 seconds, 00:00:00.5 for half of one, or 1.00:00:00 for a day"),
        [typeof(int)] = (text => Number(text), "is no whole number. Write digits alone, as 20"),
        [typeof(bool)] = (text => bool.TryParse(text, out var flag) ? flag : null, "is neither true nor false. Write one of them"),
        [typeof(Consistency)] = (Choice<Consistency>, $"is none of its names. Write one of {string.Join(", ", Enum.GetNames<Consistency>())}"),
    };

    /// <summary>Reads a section, and then finds the keys that were not read: a slip of the pen, which would otherwise take no effect.</summary>
    public void Read<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] T>(IConfigurationSection section, T options) where T : class
    {
        if (!string.IsNullOrWhiteSpace(section.Value)) faults.Add(ValueOfSection(section));
        string[] known = [.. typeof(T).GetProperties().Where(property => TryRead(section.GetSection(property.Name), property, options)).Select(property => property.Name)];
        foreach (var child in section.GetChildren().Where(child => !known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)))
        {
            var which = Identifier.Is(child.Key) ? $"{child.Path} is not known." : $"{section.Path} holds a key that is not known.";
            var meant = NearestName.Of(child.Key, known) is { } near ? $"Did you mean '{near}'?" : $"Known are: {string.Join(", ", known.Order(StringComparer.Ordinal))}.";
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
        // A value may be left empty, as variables are that are not set.
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

    /// <summary>A section whose keys are names of the user's, each of which has a section of its own.</summary>
    private void ReadNamed<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] T>(IConfigurationSection section, string what, IDictionary<string, T> into)
        where T : class, new()
    {
        if (!string.IsNullOrWhiteSpace(section.Value)) Refuse(section, $"has a value, but holds {what}s by name. Write {section.Path}:<name>:<key>");
        foreach (var named in section.GetChildren())
        {
            if (!Identifier.Is(named.Key)) faults.Add($"{section.Path} holds a {what} whose name is not usable. {Identifier.Rule}");
            else if (named.Value is not null) faults.Add(ValueOfSection(named));
            else Read(named, into.TryGetValue(named.Key, out var existing) ? existing : into[named.Key] = new T());
        }
    }

    /// <remarks>A bare number would be days, and so would the hours of 24:00:00: neither is meant.</remarks>
    private static TimeSpan? Time(string text) =>
        text.Count(c => c == ':') == 2 && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time)
            && (time.Days == 0 || text.Split(':')[0].Contains('.', StringComparison.Ordinal)) ? time : null;

    private static int? Number(string text) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static object? Choice<T>(string text) where T : struct, Enum =>
        Enum.GetNames<T>().Contains(text, StringComparer.OrdinalIgnoreCase) ? Enum.Parse<T>(text, ignoreCase: true) : null;

    private void Refuse(IConfigurationSection section, string problem) => faults.Add($"{section.Path} {problem}.");

    private static string ValueOfSection(IConfigurationSection section) => $"{section.Path} has a value, but is a section. Set its keys, as {section.Path}:<key>.";
}
