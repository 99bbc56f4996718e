using System.Diagnostics;
using System.Diagnostics.Metrics;
using Npgsql;

namespace ReplicaRouter.Diagnostics;

/// <summary>Measures and traces operations that the router runs as a whole, if there is a listener.</summary>
internal sealed class OperationTelemetry(Histogram<double> duration, string? router, TimeProvider time)
{
    public const string RetryEvent = "replica_router.retry";

    private static readonly ActivitySource Source = new(DatabaseRouterTelemetry.ActivitySourceName, DatabaseRouterTelemetry.Version);

    /// <summary>Whether there is a listener. Without one, operations bypass this class.</summary>
    public bool IsEnabled => duration.Enabled || Source.HasListeners();

    /// <summary>Runs an operation named <c>execute</c> or <c>transaction</c>. Afterwards, <paramref name="host"/> returns the host of the last attempt.</summary>
    public async Task<T> RunAsync<T>(string name, RoutePlan plan, Func<HostConfiguration?> host, Func<Task<T>> run)
    {
        using var activity = Start(name, plan);
        var startedAt = time.GetTimestamp();
        try
        {
            var result = await run().ConfigureAwait(false);
            End(activity, plan, host(), startedAt, null);
            return result;
        }
        catch (Exception e)
        {
            End(activity, plan, host(), startedAt, e);
            throw;
        }
    }

    public T Run<T>(string name, RoutePlan plan, Func<HostConfiguration?> host, Func<T> run) => RunAsync(name, plan, host, () => Task.FromResult(run())).GetAwaiter().GetResult();

    public static void Retried(HostConfiguration host, FailureKind kind)
    {
        if (Activity.Current is not { } activity || activity.Source != Source) return;
        activity.AddEvent(new ActivityEvent(RetryEvent, tags: new ActivityTagsCollection
        {
            [TelemetryTags.Host] = host.Name,
            [TelemetryTags.Reason] = TelemetryTags.Of(kind),
        }));
    }

    private Activity? Start(string name, RoutePlan plan)
    {
        var activity = Source.StartActivity($"{name} {plan.Name}");
        activity?.SetTag(TelemetryTags.System, "postgresql").SetTag(TelemetryTags.Route, plan.Name);
        if (router is not null) activity?.SetTag(TelemetryTags.Router, router);
        return activity;
    }

    private void End(Activity? activity, RoutePlan plan, HostConfiguration? host, long startedAt, Exception? error)
    {
        var outcome = OutcomeOf(error);
        var status = (error as PostgresException)?.SqlState;
        var errorType = error is null ? null : status ?? error.GetType().FullName;
        var tags = new TagList { { TelemetryTags.System, "postgresql" }, TelemetryTags.OfRoute(plan), { TelemetryTags.Outcome, outcome } };
        if (router is not null) tags.Add(TelemetryTags.Router, router);
        if (host is not null) tags.Add(TelemetryTags.OfHost(host.Name));
        if (errorType is not null) tags.Add(TelemetryTags.ErrorType, errorType);
        duration.Record(time.GetElapsedTime(startedAt).TotalSeconds, tags);

        if (activity is null) return;
        activity.SetTag(TelemetryTags.Outcome, outcome);
        if (host is not null) activity.SetTag(TelemetryTags.Host, host.Name).SetTag(TelemetryTags.Address, host.Connection.Host).SetTag(TelemetryTags.Port, host.Connection.Port);
        if (error is null) return;
        // No message: a server's message can quote user input.
        activity.SetStatus(ActivityStatusCode.Error).SetTag(TelemetryTags.ErrorType, errorType);
        if (status is not null) activity.SetTag(TelemetryTags.Status, status);
    }

    private static string OutcomeOf(Exception? error) => error switch
    {
        null => "ok",
        NoEligibleHostException => "no_host",
        TransactionOutcomeUnknownException => "unknown",
        TimeoutException => "timeout",
        OperationCanceledException => "cancelled",
        _ => "error",
    };
}
