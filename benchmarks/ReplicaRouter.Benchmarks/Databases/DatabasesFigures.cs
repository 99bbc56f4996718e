using System.Text.Json.Serialization;

namespace ReplicaRouter.Benchmarks.Databases;

/// <summary>The cost of many databases on one cluster.</summary>
/// <param name="Databases">Databases, each with its own router.</param>
/// <param name="InUse">Databases with continuous reads while connections and memory were measured.</param>
/// <param name="ProbeConnections">Probe connections, over all servers.</param>
/// <param name="ServerConnections">All connections, over all servers.</param>
/// <param name="Megabytes">Growth of the process's working set since before the router was created, in MB.</param>
/// <param name="ColdReadMs">Median time of the first read of a database, in ms.</param>
/// <param name="PlainLoginMs">The same with plain Npgsql and a new data source.</param>
/// <param name="GetClientNs">Time of <see cref="DatabaseRouter.GetClient"/> for one database, in ns.</param>
internal sealed record DatabasesFigures(
    int Databases, [property: JsonIgnore] int InUse, int ProbeConnections, int ServerConnections, double Megabytes, double ColdReadMs, double PlainLoginMs, double GetClientNs);
