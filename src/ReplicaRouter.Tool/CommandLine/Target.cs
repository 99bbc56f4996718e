namespace ReplicaRouter.Tool.CommandLine;

/// <summary>The cluster that a command is about.</summary>
/// <param name="Name">What the user confirms a drill by: the name of a local cluster, else where the primary is configured.</param>
/// <param name="Options">Options for a router over it.</param>
/// <param name="Configuration">The same, checked and complete.</param>
internal sealed record Target(string Name, DatabaseRouterOptions Options, RouterConfiguration Configuration)
{
    /// <summary>The interval of probes, so that a command need not wait a second for its second look.</summary>
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
