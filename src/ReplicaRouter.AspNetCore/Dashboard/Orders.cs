using System.Collections.Concurrent;

namespace ReplicaRouter.Dashboard;

/// <summary>Who gave the orders that are in effect. Orders that did not come from the page count as the application's.</summary>
internal sealed class Orders
{
    private const string Application = "the application";

    private readonly AsyncLocal<string?> _user = new();
    private readonly ConcurrentDictionary<string, string> _drained = new(StringComparer.OrdinalIgnoreCase);
    private volatile string? _forcedBy;

    /// <summary>Who gave the order that is being carried out.</summary>
    public string By => _user.Value ?? Application;

    public string? ForcedBy => _forcedBy;

    /// <summary>Returns who drained a host.</summary>
    public string DrainedBy(string host) => _drained.GetValueOrDefault(host, Application);

    /// <summary>Attributes the current request's orders to a user.</summary>
    public void AreOf(string user) => _user.Value = user;

    /// <summary>Records who ordered a change. Must run in the execution context that makes the change.</summary>
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
