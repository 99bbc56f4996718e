using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Tests;

/// <summary>Facts of a healthy cluster, for tests to change: a primary and the replica <c>analytics</c>.</summary>
internal static class SampleFacts
{
    public static ClusterFacts Cluster(Func<string, ServerFacts, ServerFacts>? change = null, string parameters = "")
    {
        var options = new DatabaseRouterOptions();
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = $"postgresql://app:secret@db-1/shop?{parameters}", Source = "DATABASE_URL" };
        options.Hosts["analytics"] = new DatabaseHostOptions { ConnectionString = $"postgresql://app:secret@db-2/shop?{parameters}", Source = "DATABASE_READ_REPLICA_1_URL" };
        var configuration = RouterConfigurationBuilder.Build(options);
        return new ClusterFacts
        {
            Configuration = configuration,
            Instances = 1,
            Hosts = [.. configuration.Hosts.Select(host => new HostFacts
            {
                Host = host,
                Server = change?.Invoke(host.Name, Server(!host.IsConfiguredPrimary)) ?? Server(!host.IsConfiguredPrimary),
                Health = Health(host.IsConfiguredPrimary ? HostRole.Primary : HostRole.Replica),
            })],
        };
    }

    public static ServerFacts With(this ServerFacts server, string setting, string value) =>
        server with { Settings = new Dictionary<string, string>(server.Settings) { [setting] = value } };

    private static ServerFacts Server(bool isInRecovery) => new()
    {
        Answer = new HostAnswer { IsInRecovery = isInRecovery, SystemIdentifier = 1, Timeline = 1, ServerPort = isInRecovery ? 1 : 2 },
        Settings = new Dictionary<string, string>
        {
            ["server_version_num"] = "170002",
            ["max_connections"] = "100",
            ["superuser_reserved_connections"] = "3",
            ["max_worker_processes"] = "8",
            ["hot_standby_feedback"] = "on",
            ["max_standby_streaming_delay"] = "30000",
            ["wal_receiver_status_interval"] = "10",
            ["synchronous_commit"] = "on",
            ["max_slot_wal_keep_size"] = "-1",
        },
        LatencyMs = 1,
        Connections = 10,
        Role = new RoleFacts("app", IsSuperuser: false, CanReadStatistics: true),
        Slots = [],
        IsReplayPaused = false,
        ClockOffset = TimeSpan.Zero,
        ClockError = TimeSpan.FromMilliseconds(1),
    };

    private static HostHealth Health(HostRole role) => new()
    {
        IsHealthy = true,
        Latency = TimeSpan.FromMilliseconds(1),
        ReplicationLag = role == HostRole.Replica ? TimeSpan.Zero : null,
        LagBytes = 0,
        Error = null,
        Role = role,
        State = HostState.Healthy,
        IsDrained = false,
        Timeline = 1,
        ConnectionsInUse = 0,
        Age = TimeSpan.Zero,
    };
}
