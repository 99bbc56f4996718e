namespace ReplicaRouter.ConnectionStrings;

/// <summary>
/// Names of applications as servers show them (<c>pg_stat_activity.application_name</c>). A server cuts a name after 63 bytes, and replaces what is not
/// printable ASCII, each version in its own way; what is sent is such that it has nothing to do.
/// </summary>
/// <remarks>Source: PostgreSQL manual, "Error Reporting and Logging", <c>application_name</c>.</remarks>
internal static class ApplicationNames
{
    private const int Longest = 63;

    /// <summary>The application followed by its route, of which the application gives way where both are too long.</summary>
    public static string OfRoute(string application, string route)
    {
        var end = Shown(" " + route);
        var start = Shown(application);
        return start.Length + end.Length <= Longest ? start + end : start[..(Longest - end.Length)] + end;
    }

    /// <summary>A name as a server shows it.</summary>
    public static string Shown(string name)
    {
        var printable = string.Concat(name.EnumerateRunes().Select(rune => rune.Value is >= ' ' and <= '~' ? (char)rune.Value : '?'));
        return printable.Length <= Longest ? printable : printable[..Longest];
    }
}
