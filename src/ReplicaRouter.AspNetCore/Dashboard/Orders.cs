using System.Collections.Concurrent;

namespace ReplicaRouter.Dashboard;

/// <summary>Who ordered what holds now. Orders that did not come by the page are the application's.</summary>
internal sealed class Orders
{
    private const string Application = "the application";

    private readonly AsyncLocal<string?> _user = new();
    private readonly ConcurrentDictionary<string, string> _drained = new(StringComparer.OrdinalIgnoreCase);
    private volatile string? _forcedBy;

    /// <summary>Who gives the order that is being carried out.</summary>
    public string By => _user.Value ?? Application;

    public string? ForcedBy => _forcedBy;

    /// <summary>Who drained a host.</summary>
    public string DrainedBy(string host) => _drained.GetValueOrDefault(host, Application);

    /// <summary>What the current request orders is its user's order.</summary>
    public void AreOf(string user) => _user.Value = user;

    /// <summary>Notes whose order a change is, on the thread that makes it.</summary>
    public void Note(TopologySnapshot before, TopologySnapshot after)
    {
        foreach (var host in after.Hosts)
        {
            if (before.Find(host.Configuration)?.IsDrained == host.IsDrained) continue;
            if (host.IsDrained) _drained[host.Name] = By;
            else _drained.TryRemove(host.Name, out _);
        }

        if (after.ForcedToPrimaryUntil > before.ForcedToPrimaryUntil) _forcedBy = By;
    }
}
