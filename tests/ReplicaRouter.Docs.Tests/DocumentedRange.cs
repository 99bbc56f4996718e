using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace ReplicaRouter.Docs.Tests;

/// <summary>The range in an option's documentation, as in '100 ms to 1 h' or '1 to 10,000'.</summary>
internal static partial class DocumentedRange
{
    /// <returns>Its bounds in the format of the configuration; null if none is documented.</returns>
    public static (string Least, string Most)? Of(PropertyInfo option) =>
        XmlDocumentation.ValueOf(option) is { } text && Range().Match(text) is { Success: true } range
            ? (Bound(option, range.Groups[1].Value, range.Groups[2].Value), Bound(option, range.Groups[3].Value, range.Groups[4].Value))
            : null;

    private static string Bound(PropertyInfo option, string number, string unit)
    {
        var value = double.Parse(number.Replace(",", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        if ((Nullable.GetUnderlyingType(option.PropertyType) ?? option.PropertyType) != typeof(TimeSpan)) return value.ToString(CultureInfo.InvariantCulture);
        var time = unit switch
        {
            "ms" => TimeSpan.FromMilliseconds(value),
            "min" => TimeSpan.FromMinutes(value),
            "h" => TimeSpan.FromHours(value),
            "day" => TimeSpan.FromDays(value),
            _ => TimeSpan.FromSeconds(value),
        };
        return time.ToString("c", CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"\b([\d.,]+)(?: (ms|s|min|h|day))? to ([\d.,]+)(?: (ms|s|min|h|day))?\b")]
    private static partial Regex Range();
}
