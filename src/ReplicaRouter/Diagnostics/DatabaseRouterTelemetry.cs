namespace ReplicaRouter;

/// <summary>The names of the meter and the activity source, for subscriptions to metrics and traces.</summary>
public static class DatabaseRouterTelemetry
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "ReplicaRouter";

    /// <summary>The activity source's name.</summary>
    public const string ActivitySourceName = "ReplicaRouter";

    internal static string? Version { get; } = typeof(DatabaseRouterTelemetry).Assembly.GetName().Version?.ToString(3);
}
