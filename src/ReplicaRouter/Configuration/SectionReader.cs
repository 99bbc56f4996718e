using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace ReplicaRouter;

/// <summary>
/// Reads one section of a configuration, and collects what is wrong with it: values that are not of their type, and keys that nothing reads. No fault
/// repeats a value.
/// </summary>
internal sealed class SectionReader
{
    private readonly IConfigurationSection _section;
    private readonly List<string> _faults;
    private readonly List<string> _known = [];

    public SectionReader(IConfigurationSection section, List<string> faults)
    {
        (_section, _faults) = (section, faults);
        if (!string.IsNullOrWhiteSpace(section.Value)) faults.Add($"{section.Path} has a value, but is a section. Set its keys, as {section.Path}:<key>.");
    }

    public void Text(string key, Action<string> set)
    {
        if (Scalar(key) is { } text) set(text);
    }

    public void Time(string key, Action<TimeSpan> set)
    {
        if (Value(key) is not { } text) return;
        // A bare number would be days, and so would the hours of 24:00:00: neither is meant.
        if (text.Count(c => c == ':') == 2 && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time) && (time.Days == 0 || text.Split(':')[0].Contains('.', StringComparison.Ordinal))) set(time);
        else Refuse(key, "is not a valid time. Write hh:mm:ss, as 00:00:05 for 5 seconds, 00:00:00.5 for half of one, or 1.00:00:00 for a day");
    }

    public void Number(string key, Action<int> set)
    {
        if (Value(key) is not { } text) return;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) set(number);
        else Refuse(key, "is no whole number. Write digits alone, as 20");
    }

    public void Flag(string key, Action<bool> set)
    {
        if (Value(key) is not { } text) return;
        if (bool.TryParse(text, out var flag)) set(flag);
        else Refuse(key, "is neither true nor false. Write one of them");
    }

    public void Choice<T>(string key, Action<T> set) where T : struct, Enum
    {
        if (Value(key) is not { } text) return;
        var names = Enum.GetNames<T>();
        if (names.Contains(text, StringComparer.OrdinalIgnoreCase)) set(Enum.Parse<T>(text, ignoreCase: true));
        else Refuse(key, $"is none of its names. Write one of {string.Join(", ", names)}");
    }

    public void List(string key, IList<string> into)
    {
        _known.Add(key);
        var list = _section.GetSection(key);
        if (!string.IsNullOrWhiteSpace(list.Value)) Refuse(key, $"has a value, but is a list. Write its first entry as {list.Path}:0");
        foreach (var entry in list.GetChildren())
        {
            if (entry.Value is { } text) into.Add(text);
        }
    }

    public void Section(string key, Action<SectionReader> read)
    {
        _known.Add(key);
        ReadAll(_section.GetSection(key), read);
    }

    /// <summary>A section whose keys are names of the user's, each of which has a section of its own.</summary>
    public void Named(string key, string what, Action<string, SectionReader> read)
    {
        _known.Add(key);
        var names = _section.GetSection(key);
        if (!string.IsNullOrWhiteSpace(names.Value)) Refuse(key, $"has a value, but holds {what}s by name. Write {names.Path}:<name>:<key>");
        foreach (var named in names.GetChildren())
        {
            if (!Identifier.Is(named.Key)) _faults.Add($"{names.Path} holds a {what} whose name is not usable. {Identifier.Rule}");
            else if (named.Value is not null) _faults.Add($"{named.Path} has a value, but is a section. Set its keys, as {named.Path}:<key>.");
            else ReadAll(named, reader => read(named.Key, reader));
        }
    }

    /// <summary>Reads a section, and then finds the keys that were not read: a slip of the pen, which would otherwise take no effect.</summary>
    public void ReadAll(Action<SectionReader> read)
    {
        read(this);
        foreach (var child in _section.GetChildren())
        {
            if (_known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)) continue;
            var which = Identifier.Is(child.Key) ? $"{_section.Path}:{child.Key} is not known." : $"{_section.Path} holds a key that is not known.";
            _faults.Add(NearestName.Of(child.Key, _known) is { } near ? $"{which} Did you mean '{near}'?" : $"{which} Known are: {string.Join(", ", _known.Order(StringComparer.Ordinal))}.");
        }
    }

    private void ReadAll(IConfigurationSection section, Action<SectionReader> read) => new SectionReader(section, _faults).ReadAll(read);

    /// <summary>A value that may be left empty, as variables are that are not set.</summary>
    private string? Value(string key) => Scalar(key)?.Trim() is { Length: > 0 } text ? text : null;

    private string? Scalar(string key)
    {
        _known.Add(key);
        var value = _section.GetSection(key);
        if (value.GetChildren().Any()) Refuse(key, "is a section, but takes one value");
        return value.Value;
    }

    private void Refuse(string key, string problem) => _faults.Add($"{_section.Path}:{key} {problem}.");
}
