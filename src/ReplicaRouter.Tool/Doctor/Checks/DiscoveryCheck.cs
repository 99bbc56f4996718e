using System.Globalization;
using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>Discovery sources answer, and can name only our own hosts.</summary>
internal sealed class DiscoveryCheck : ICheck
{
    private const string AllowedHostsKey = $"{DatabaseRouterOptions.SectionName}:Discovery:AllowedHosts";

    public string Name => "discovery";

    public Area Area => Area.Security;

    public string Why => "The router logs in to every host that a source names. Anyone who can change a source's answer, in DNS or in transit, can add a server of their own.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Sources.IsEmpty ? [] : cluster.Hosts;

    public Findings Examine(ClusterFacts cluster) => Findings.Of(
        string.Join(", ", cluster.Sources.Select(source => string.Create(CultureInfo.InvariantCulture, $"{source.Source} names {source.Hosts} hosts"))), Problems(cluster));

    private static IEnumerable<Problem> Problems(ClusterFacts cluster)
    {
        foreach (var source in cluster.Sources)
        {
            if (source.Failure is { } failure) yield return Problem.Failure($"{source.Source}: {failure}", "Correct the source's settings, or make it answer; until then it finds no hosts.");
            if (source.Refused is [var first, ..])
            {
                yield return Problem.Warning(
                    string.Create(CultureInfo.InvariantCulture, $"{source.Source} names {source.Refused.Length} hosts that are not allowed, such as {first}"),
                    $"If they are yours, add them to {AllowedHostsKey}; if not, find out who changed the source's answer.");
            }
        }

        if (DiscoveredLogin.IsUnguarded(cluster.Configuration))
        {
            yield return Problem.Warning(
                "sources can name any host, and no certificate proves that a host is yours",
                $"List your hosts in {AllowedHostsKey}, or set sslmode=verify-full and sslrootcert in {cluster.Configuration.Hosts[0].Source}.");
        }
    }
}
