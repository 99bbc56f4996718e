using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>Network traffic is encrypted, and the server's identity is verified.</summary>
internal sealed class TlsCheck : ICheck
{
    public string Name => "tls";

    public Area Area => Area.Security;

    public string Why => "Without TLS, anyone on the network path can read data and password proofs; without verification, anyone there can impersonate the server.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Hosts;

    public Findings Examine(ClusterFacts cluster) => Findings.Of(
        string.Join(", ", cluster.Hosts.Select(host => $"{host.Name} {(IsLocal(host.Host) ? "on this machine" : host.Host.Connection.SslMode)}")),
        cluster.Hosts.Where(host => !IsLocal(host.Host)).Select(ProblemOf).OfType<Problem>());

    private static Problem? ProblemOf(HostFacts host) => host.Host.Connection.SslMode switch
    {
        Npgsql.SslMode.Disable => Problem.Failure($"{host.Name}: {host.Host.Endpoint} is reached without TLS", Fix(host)),
        Npgsql.SslMode.Allow or Npgsql.SslMode.Prefer => Problem.Warning(
            $"{host.Name}: sslmode is {Word(host)} for {host.Host.Endpoint}: anyone on the network path can turn TLS off", Fix(host)),
        Npgsql.SslMode.Require => Problem.Warning($"{host.Name}: sslmode is require for {host.Host.Endpoint}: encrypted, but the server's identity is not verified", Fix(host)),
        _ => null,
    };

    private static string Fix(HostFacts host) => $"Set sslmode=verify-full and sslrootcert in {host.Host.Source}; on the server, set ssl = on with a certificate for '{host.Host.Connection.Host}'.";

    private static string Word(HostFacts host) => host.Host.Connection.SslMode.ToString().ToLowerInvariant();

    /// <summary>Whether the connection stays on this machine.</summary>
    private static bool IsLocal(HostConfiguration host)
    {
        var name = host.Connection.Host!;
        return name.StartsWith('/') || name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (System.Net.IPAddress.TryParse(name, out var address) && System.Net.IPAddress.IsLoopback(address));
    }
}
