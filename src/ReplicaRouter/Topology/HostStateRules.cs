namespace ReplicaRouter;

/// <summary>What a host's own observations say of it, before it is compared with the others.</summary>
internal static class HostStateRules
{
    /// <summary>Time-outs in a row that take a host out. One may be the network's, or our own process's.</summary>
    private const int MissesUntilDown = 2;

    public static HostSnapshot Standing(HostSnapshot host, ulong? systemIdentifier)
    {
        var role = host.Answer switch { null => HostRole.Unknown, { IsInRecovery: true } => HostRole.Replica, _ => HostRole.Primary };
        var (state, error) = State(host, systemIdentifier);
        return host with { Role = role, State = state, Error = error, FreshAt = null, Lag = null, LagBytes = null };
    }

    private static (HostState State, string? Error) State(HostSnapshot host, ulong? systemIdentifier)
    {
        if (host.Last is null) return (HostState.Unknown, "not probed yet");
        if (host.Last.Failure is { } failure) return (OfFailure(failure.Kind, host), failure.Message);
        return systemIdentifier is { } cluster && host.Answer!.SystemIdentifier != cluster
            ? (HostState.ForeignCluster, $"{host.Configuration.Endpoint} belongs to another cluster (system identifier " +
                $"{host.Answer.SystemIdentifier}, not {cluster}). Correct the address in {host.Configuration.Source}.")
            : (HostState.Healthy, null);
    }

    private static HostState OfFailure(FailureKind kind, HostSnapshot host) => kind switch
    {
        // None: a probe that failed for a reason of its own, as a statement_timeout of our role.
        FailureKind.Timeout or FailureKind.None when host.Misses < MissesUntilDown && host.LastAnswered is not null => HostState.Suspect,
        // Saturated, not dead: whoever holds a connection is served well.
        FailureKind.Full when host.LastAnswered is not null => HostState.Suspect,
        FailureKind.Restarting => HostState.Restarting,
        FailureKind.Misconfigured => HostState.Misconfigured,
        // A name that has led to the server before is not misspelt: orchestrators withdraw the names of servers that are down.
        FailureKind.NameUnknown when host.LastAnswered is null => HostState.Misconfigured,
        _ => HostState.Down,
    };
}
