namespace ReplicaRouter.ConnectionStrings;

/// <summary>
/// Application names as servers show them (<c>pg_stat_activity.application_name</c>). A server truncates a name after 63 bytes and replaces all but printable ASCII,
/// in a way that depends on its version. Names are prepared here so that the server changes nothing.
/// </summary>
/// <remarks>Source: PostgreSQL manual, "Error Reporting and Logging", <c>application_name</c>.</remarks>
internal static class ApplicationNames
{
    private const int Longest = 63;

    /// <summary>Returns the application's name followed by the route's. If both are too long, the application's name is truncated.</summary>
    public static string OfRoute(string application, string route)
    {
        var end = Shown(" " + route);
        var start = Shown(application);
        return start.Length + end.Length <= Longest ? start + end : start[..(Longest - end.Length)] + end;
    }

    public static string Shown(string name)
    {
        var printable = string.Concat(name.EnumerateRunes().Select(rune => rune.Value is >= ' ' and <= '~' ? (char)rune.Value : '?'));
        return printable.Length <= Longest ? printable : printable[..Longest];
    }
}
