using System.Globalization;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Checks.Proxies;

/// <summary>HAProxy in front of replicas, balancing TCP connections.</summary>
/// <param name="balance">Its <c>balance</c>: <c>leastconn</c> or <c>roundrobin</c>.</param>
/// <param name="replicas">The replicas, and the ports at which HAProxy connects to them.</param>
internal sealed class HaProxy(string balance, IReadOnlyDictionary<LocalServer, int> replicas) : IProxyKind
{
    public string Name => "HAProxy";

    public string Program => "/usr/sbin/haproxy";

    public IReadOnlyList<string> Arguments => ["-db", "-f", "haproxy.cfg"];

    // One thread: more would compete with each other on two cores. Health checks are plain connects, because no role changes here.
    public IReadOnlyDictionary<string, string> Files(ProxyPlace place) => new Dictionary<string, string>
    {
        ["haproxy.cfg"] = string.Create(CultureInfo.InvariantCulture, $"""
            global
              nbthread 1
              maxconn 2000

            defaults
              mode tcp
              timeout connect 1s
              timeout client 1h
              timeout server 1h

            listen reads
              bind 127.0.0.1:{place.Port}
              balance {balance}
              default-server check inter 1s fastinter 200ms fall 2 rise 2 on-marked-down shutdown-sessions
            {string.Join('\n', replicas.Select(replica => string.Create(CultureInfo.InvariantCulture, $"  server {replica.Key.Name} 127.0.0.1:{replica.Value}")))}
            """),
    };
}
