namespace ReplicaRouter.Discovery;

/// <summary>Refuses implausible answers of discovery sources. Accepted answers are safe to connect to, log and show.</summary>
internal static class AnswerCheck
{
    public const int MostLabels = 32;
    public const int LongestLabel = 200;
    private const int LongestName = 253;
    private const int MostGroups = 16;
    private const int LongestGroup = 63;

    /// <exception cref="InvalidDataException">The answer is refused. The message contains no text of the answer.</exception>
    public static void Check(DiscoveryResult answer)
    {
        // A registry that has just started can return no hosts, which must not remove all of them.
        if (answer.Hosts.Count == 0) throw new InvalidDataException("the answer names no host");
        if (answer.Hosts.Count > RouterConfiguration.MostHosts)
            throw new InvalidDataException($"the answer names {answer.Hosts.Count} hosts; a router supports at most {RouterConfiguration.MostHosts}");
        foreach (var (index, host) in answer.Hosts.Index())
        {
            if (FaultOf(host) is { } fault) throw new InvalidDataException($"host {index + 1} of the answer has {fault}");
        }
    }

    private static string? FaultOf(DiscoveredHost host)
    {
        if (!HostAddress.IsValid(host.Address)) return "an address that is neither a host name nor an IP address";
        if (host.Port is < 1 or > 65535) return $"the port {host.Port}; ports are 1 to 65535";
        if (host.Weight is < 1 or > 100) return $"the weight {host.Weight}; weights are 1 to 100";
        if (host.Name is { } name && !PlainText.IsPlain(name, LongestName)) return $"a name that is empty, longer than {LongestName} characters, or not printable";
        if (host.Labels.Count > MostLabels || !host.Labels.All(label => PlainText.IsPlain(label, LongestLabel)))
            return $"more than {MostLabels} labels, or one that is empty, longer than {LongestLabel} characters, or not printable";
        if (host.Groups is { } groups && (groups.Count > MostGroups || !groups.All(group => PlainText.IsPlain(group, LongestGroup))))
            return $"more than {MostGroups} groups, or one that is empty, longer than {LongestGroup} characters, or not printable";
        return null;
    }
}
