using System.Globalization;

namespace ReplicaRouter.Topology;

/// <summary>Describes to an operator what accepting a host changes and abandons.</summary>
internal static class Acceptance
{
    public static HostAcceptance Of(TopologySnapshot topology, HostSnapshot host, TimeProvider time) => new()
    {
        Host = host.Name,
        Role = host.Role,
        SystemIdentifier = host.Answer!.SystemIdentifier,
        Timeline = host.ShownTimeline,
        FormerSystemIdentifier = topology.SystemIdentifier,
        FormerTimeline = topology.Timeline,
        FormerPrimary = topology.Primary?.Name,
        Error = host.Error,
        GivenUp = [.. GivenUp(topology, host, topology.WithAccepted(host, time))],
    };

    private static IEnumerable<string> GivenUp(TopologySnapshot before, HostSnapshot accepted, TopologySnapshot after)
    {
        foreach (var host in after.Hosts.Where(host => host.Answer is not null))
        {
            var known = before.Find(host.Configuration)!;
            if (host.Answer!.SystemIdentifier != accepted.Answer!.SystemIdentifier)
            {
                yield return $"{host.Name} belongs to another cluster ({host.Answer.SystemIdentifier}) and gets no traffic.";
            }
            else if (host.IsRefused)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"{host.Name} is on timeline {host.Ruling!.Timeline} and gets no traffic; writes made on that timeline are abandoned.");
            }
            else if (known.IsServing && !host.IsServing)
            {
                yield return $"{host.Name} gets no traffic: {host.Error}";
            }
        }

        if (after.SystemIdentifier != before.SystemIdentifier && before.SystemIdentifier is not null || after.Timeline < before.Timeline)
        {
            yield return "Sessions that have seen the abandoned history report lost history.";
        }
    }
}
