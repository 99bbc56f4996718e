using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace ReplicaRouter.Benchmarks.Databases;

/// <summary><c>databases</c>: an application with one database per tenant.</summary>
internal static class DatabasesCommand
{
    private const int MostProbeConnections = 3;
    private const int MostServerConnections = 120;
    private const double MostMegabytes = 150;
    private const double MostMsBeyondLogin = 25;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    public static Command Create()
    {
        var databases = CommandOption.Number("--databases", "Databases on the cluster. Each takes 8 MB on each of three servers.", usual: 1000, least: 100);
        var inUse = CommandOption.Number("--in-use", "Databases with continuous reads while connections and memory are measured.", usual: 50);
        var json = new Option<bool>("--json") { Description = "Prints the figures as one JSON object on the last line of standard output." };
        var command = new Command("databases", "Reads from many databases on one cluster of three servers, and prints the cost.") { databases, inUse, json };
        command.SetAction(async (parsed, ct) =>
        {
            var figures = await DatabasesRun.RunAsync(parsed.GetValue(databases), parsed.GetValue(inUse), ct);
            Print(figures);
            if (parsed.GetValue(json)) Console.WriteLine(JsonSerializer.Serialize(figures, s_json));
            return Holds(figures) ? 0 : 1;
        });
        return command;
    }

    private static bool Holds(DatabasesFigures figures) =>
        figures.ProbeConnections <= MostProbeConnections && figures.ServerConnections <= MostServerConnections && figures.Megabytes <= MostMegabytes
        && figures.ColdReadMs <= figures.PlainLoginMs + MostMsBeyondLogin;

    private static void Print(DatabasesFigures figures) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"""
        {figures.Databases} databases, {figures.InUse} of them in use
          connections of probes      {figures.ProbeConnections,8}   at most {MostProbeConnections}
          connections, all servers   {figures.ServerConnections,8}   at most {MostServerConnections}
          memory, MB                 {figures.Megabytes,8:0.0}   at most {MostMegabytes:0}
          first read, ms             {figures.ColdReadMs,8:0.0}   at most {MostMsBeyondLogin:0} more than a login
          plain Npgsql's login, ms   {figures.PlainLoginMs,8:0.0}
          GetClient, ns              {figures.GetClientNs,8:0.0}
        {(Holds(figures) ? "holds" : "DOES NOT HOLD")}
        """));
}
