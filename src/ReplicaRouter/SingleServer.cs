using Npgsql;

namespace ReplicaRouter;

/// <summary>A router without a cluster: everything goes to one server, which is not probed.</summary>
internal static class SingleServer
{
    public static ClusterRouter RouterFor(NpgsqlDataSource dataSource)
    {
        var settings = new NpgsqlConnectionStringBuilder(dataSource.ConnectionString);
        // This only names the host: connections come from the data source.
        settings.Host = settings.Host?.Split(',')[0] ?? "localhost";
        var options = new DatabaseRouterOptions { Health = { Interval = TimeSpan.FromMinutes(1) }, MaxLag = TimeSpan.FromHours(1) };
        options.Hosts[HostNames.Primary] = new DatabaseHostOptions { ConnectionString = settings.ConnectionString };
        return new ClusterRouter(RouterConfigurationBuilder.Build(options) with { SingleServer = dataSource }, createProbe: _ => new Probe());
    }

    /// <summary>Always reports a healthy primary. After a caller's connection breaks, this restores the host at once, and the test's next operation tries it again.</summary>
    private sealed class Probe : IHostProbe
    {
        private static readonly HostAnswer s_answer = new() { SystemIdentifier = 1, Timeline = 1, ReplayTimeline = 1, InsertLsn = 1, FlushLsn = 1, StartedAt = 1 };

        public Task<HostAnswer> ProbeAsync(CancellationToken cancellationToken) => Task.FromResult(s_answer);

        public Task<HostAnswer> LoginAsync(CancellationToken cancellationToken) => ProbeAsync(cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
