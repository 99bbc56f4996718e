using System.Text.Json;

namespace ReplicaRouter.PatroniTests;

/// <summary>Queries Patroni's REST API.</summary>
internal static class PatroniApi
{
    /// <returns>The name of the leader; null if no answering node knows one.</returns>
    internal static async Task<string?> FindLeaderAsync(HttpClient http, IEnumerable<PatroniNode> nodes, CancellationToken ct)
    {
        foreach (var node in nodes)
        {
            try
            {
                await using var body = await http.GetStreamAsync(new Uri(node.Api, "/cluster"), ct);
                using var json = await JsonDocument.ParseAsync(body, cancellationToken: ct);
                if (LeaderOf(json.RootElement) is { } leader) return leader;
            }
            catch (HttpRequestException)
            {
                // The node is down or still starting: try the next.
            }
        }
        return null;
    }

    private static string? LeaderOf(JsonElement cluster) => cluster.GetProperty("members").EnumerateArray()
        .Where(member => member.GetProperty("role").GetString() == "leader" && member.GetProperty("state").GetString() == "running")
        .Select(member => member.GetProperty("name").GetString())
        .FirstOrDefault();
}
