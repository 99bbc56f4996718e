namespace ReplicaRouter.Dashboard;

/// <summary>Links between the pages of the application's routers. The other pages are below the first router's.</summary>
internal static class RouterLinks
{
    private const string Folder = "routers";

    /// <summary>Returns the path of a router's page, relative to the first router's.</summary>
    public static string PathOf(IReadOnlyList<RouterRegistration> routers, RouterRegistration router) => router == routers[0] ? "" : $"{Folder}/{router.Name}/";

    /// <summary>Returns the links on one router's page, relative like all of its links; empty if there is only one router.</summary>
    public static string In(IReadOnlyList<RouterRegistration> routers, RouterRegistration shown)
    {
        if (routers.Count == 1) return "";
        var toFirst = shown == routers[0] ? "./" : "../../";
        // Router names contain no characters that need encoding.
        var links = routers.Select(router => $"<a href=\"{toFirst}{PathOf(routers, router)}\"{(router == shown ? " aria-current=\"page\"" : "")}>{router.Name ?? "default"}</a>");
        return $"<nav class=\"routers\" aria-label=\"Routers\">{string.Concat(links)}</nav>";
    }
}
