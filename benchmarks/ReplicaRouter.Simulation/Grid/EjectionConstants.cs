using System.Globalization;
using System.Reflection;

namespace ReplicaRouter.Simulation;

/// <summary>The properties of <see cref="EjectionSettings"/> by name, as numbers; times are in ms.</summary>
internal static class EjectionConstants
{
    private static readonly PropertyInfo[] s_all = [.. typeof(EjectionSettings).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite)];

    public static IReadOnlyList<string> Names { get; } = [.. s_all.Select(property => property.Name)];

    /// <param name="settings">The settings to change one constant of.</param>
    /// <param name="assignment">A name, an equals sign and a number.</param>
    /// <exception cref="FormatException">There is no such constant, or the value is not a number.</exception>
    public static EjectionSettings Set(EjectionSettings settings, string assignment)
    {
        var parts = assignment.Split('=', 2);
        if (!Names.Contains(parts[0])) throw new FormatException($"There is no constant {parts[0]}. The constants are {string.Join(", ", Names)}.");
        return parts.Length == 2 && double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? Set(settings, parts[0], number)
            : throw new FormatException($"{parts[0]} takes a number, such as {parts[0]}=5; a time is in ms.");
    }

    public static EjectionSettings Set(EjectionSettings settings, string name, double number)
    {
        var property = Of(name);
        var copy = settings with { };
        property.SetValue(copy, Typed(property.PropertyType, number));
        return copy;
    }

    public static double Get(EjectionSettings settings, string name) => Of(name).GetValue(settings) switch
    {
        TimeSpan time => time.TotalMilliseconds,
        var number => Convert.ToDouble(number, CultureInfo.InvariantCulture),
    };

    private static PropertyInfo Of(string name) => s_all.First(property => property.Name == name);

    private static object Typed(Type type, double number)
    {
        if (type == typeof(int)) return (int)Math.Round(number);
        if (type == typeof(TimeSpan)) return TimeSpan.FromMilliseconds(number);
        return number;
    }
}
