namespace ReplicaRouter.Tool.CommandLine;

/// <summary>The cluster that a command works on.</summary>
/// <param name="Name">What the user types to confirm a drill: a local cluster's name, or else the primary's configured endpoint.</param>
/// <param name="Options">The options of a router for it.</param>
/// <param name="Configuration">The options, validated and with all defaults.</param>
internal sealed record Target(string Name, DatabaseRouterOptions Options, RouterConfiguration Configuration)
{
    /// <summary>The longest probe interval, so that a command does not wait a second for the second probe.</summary>
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(250);

    /// <summary>The folder of a cluster that <c>cluster up</c> started; null for any other.</summary>
    public string? LocalFolder { get; init; }

    public static Target Of(DatabaseRouterOptions options)
    {
        if (options.Health.Interval > s_interval) options.Health.Interval = s_interval;
        options.ApplicationName ??= "replica-router";
        var configuration = RouterConfigurationBuilder.Build(options);
        return new(configuration.Hosts[0].Endpoint, options, configuration);
    }
}
