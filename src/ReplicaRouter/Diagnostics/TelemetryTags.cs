using System.Text.Json;

namespace ReplicaRouter.Diagnostics;

/// <summary>The attributes of metrics and activities. Those without our prefix are from OpenTelemetry's database conventions.</summary>
internal static class TelemetryTags
{
    public const string Router = "replica_router.router";
    public const string Route = "replica_router.route";
    public const string Host = "replica_router.host";
    public const string State = "replica_router.state";
    public const string Role = "replica_router.role";
    public const string Reason = "replica_router.reason";
    public const string Kind = "replica_router.kind";
    public const string Source = "replica_router.source";
    public const string Outcome = "replica_router.outcome";
    public const string ConnectionState = "db.client.connection.state";
    public const string System = "db.system.name";
    public const string Status = "db.response.status_code";
    public const string ErrorType = "error.type";
    public const string Address = "server.address";
    public const string Port = "server.port";

    /// <summary>Returns an enum value in snake case: <c>SplitBrain</c> becomes <c>split_brain</c>.</summary>
    public static string Of<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    public static KeyValuePair<string, object?> OfHost(string host) => new(Host, host);

    public static KeyValuePair<string, object?> OfRoute(RoutePlan route) => new(Route, route.Name);
}
