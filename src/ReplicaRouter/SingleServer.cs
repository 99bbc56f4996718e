using Npgsql;

namespace ReplicaRouter;

/// <summary>A router without a cluster: everything goes to one server, of which nothing is asked.</summary>
internal static class SingleServer
{
    public static ClusterRouter RouterFor(NpgsqlDataSource dataSource)
    {
        var settings = new NpgsqlConnectionStringBuilder(dataSource.ConnectionString);
        // It only names the host: connections are the data source's.
        settings.Host = settings.Host?.Split(',')[0] ?? "localhost";
        var options = new DatabaseRouterOptions { Health = { Interval = TimeSpan.FromMinutes(1) }, MaxLag = TimeSpan.FromHours(1) };
        options.Hosts[HostNames.Primary] = new DatabaseHostOptions { ConnectionString = settings.ConnectionString };
        return new ClusterRouter(RouterConfigurationBuilder.Build(options) with { SingleServer = dataSource }, createProbe: _ => new Probe());
    }

    /// <summary>Answers for a primary that is well. It takes what a caller's broken connection said back at once: a test's next operation decides.</summary>
    private sealed class Probe : IHostProbe
    {
        private static readonly HostAnswer s_answer = new() { SystemIdentifier = 1, Timeline = 1, ReplayTimeline = 1, InsertLsn = 1, FlushLsn = 1, StartedAt = 1 };

        public Task<HostAnswer> ProbeAsync(CancellationToken cancellationToken) => Task.FromResult(s_answer);

        public Task<HostAnswer> LoginAsync(CancellationToken cancellationToken) => ProbeAsync(cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
