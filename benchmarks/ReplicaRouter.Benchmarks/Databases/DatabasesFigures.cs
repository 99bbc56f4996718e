using System.Text.Json.Serialization;

namespace ReplicaRouter.Benchmarks.Databases;

/// <summary>What many databases of one cluster cost.</summary>
/// <param name="Databases">Databases, each with a router of its own.</param>
/// <param name="InUse">Those of them that read all the time while connections and memory were counted.</param>
/// <param name="ProbeConnections">Connections of probes, on all servers together.</param>
/// <param name="ServerConnections">All connections, on all servers together.</param>
/// <param name="Megabytes">What the process needs more than before the router was made.</param>
/// <param name="ColdReadMs">Median time of the first read of a database, in ms.</param>
/// <param name="PlainLoginMs">The same with plain Npgsql, whose data source is made for it.</param>
/// <param name="GetClientNs">Time of <see cref="DatabaseRouter.GetClient"/> for one of them, in ns.</param>
internal sealed record DatabasesFigures(
    int Databases, [property: JsonIgnore] int InUse, int ProbeConnections, int ServerConnections, double Megabytes, double ColdReadMs, double PlainLoginMs, double GetClientNs);
