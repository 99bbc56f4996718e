namespace ReplicaRouter.Dashboard;

/// <summary>The way from the page of one router to those of the application's others. Each has a page of its own, below that of the first.</summary>
internal static class RouterLinks
{
    private const string Folder = "routers";

    /// <summary>Where a router's page is, seen from that of the first.</summary>
    public static string PathOf(IReadOnlyList<RouterRegistration> routers, RouterRegistration router) => router == routers[0] ? "" : $"{Folder}/{router.Name}/";

    /// <summary>The links as they stand in the page of one router. They are relative, as all links of the page; nothing where there is only one router.</summary>
    public static string In(IReadOnlyList<RouterRegistration> routers, RouterRegistration shown)
    {
        if (routers.Count == 1) return "";
        var toFirst = shown == routers[0] ? "./" : "../../";
        // A router's name holds nothing that would have to be encoded.
        var links = routers.Select(router => $"<a href=\"{toFirst}{PathOf(routers, router)}\"{(router == shown ? " aria-current=\"page\"" : "")}>{router.Name ?? "default"}</a>");
        return $"<nav class=\"routers\" aria-label=\"Routers\">{string.Concat(links)}</nav>";
    }
}
