namespace ReplicaRouter.Hosts;

/// <summary>Derives a host's role and state from its own observations, before it is compared with the others.</summary>
internal static class HostStateRules
{
    /// <summary>Consecutive time-outs that take a host out. A single one can be due to the network, or to our own process.</summary>
    private const int MissesUntilOut = 2;

    public static HostSnapshot Standing(HostSnapshot host, ClusterIdentity? identity)
    {
        var role = host.Answer switch { null => HostRole.Unknown, { IsInRecovery: true } => HostRole.Replica, _ => HostRole.Primary };
        var (state, error) = State(host, identity);
        return (role, state, error) == (host.Role, host.State, host.Error) && host.DuplicateOf is null ? host : host with { Role = role, State = state, Error = error, DuplicateOf = null };
    }

    private static (HostState State, string? Error) State(HostSnapshot host, ClusterIdentity? identity)
    {
        if (host.Last is null) return (HostState.Unknown, "not probed yet");
        if (host.Last.Failure is { } failure) return (OfFailure(failure.Kind, host), failure.Message);
        if (identity is not null && host.Answer!.SystemIdentifier != identity.SystemIdentifier) return (HostState.ForeignCluster, ForeignTo(identity, host));

        if (host.Probation.IsOut) return (HostState.Recovering, $"{host.Configuration.Endpoint} answers, and serves after a few successful probes.");
        if (host.LoginFailure is { } login) return (login.Kind == FailureKind.Full ? HostState.Full : HostState.NoLogins, login.Message);
        if (host.Answer is { IsInRecovery: false, ReadOnlyBy: { } source }) return (HostState.ReadOnly, WhyReadOnly(host.Configuration, source));
        return host is { Faulty: { } faulty, Answer.IsInRecovery: true } ? (HostState.Failing, faulty.Message) : (HostState.Healthy, null);
    }

    private static string WhyReadOnly(HostConfiguration host, string source)
    {
        var (user, database) = (host.Connection.Username, host.Connection.Database);
        return $"{host.Endpoint}: default_transaction_read_only is on for user '{user}' in database '{database}', so writes fail with 25006. " + source switch
        {
            "database" => $"It is set for the database: ALTER DATABASE \"{database}\" RESET default_transaction_read_only.",
            "user" => $"It is set for the role: ALTER ROLE \"{user}\" RESET default_transaction_read_only.",
            "database user" => $"It is set for the role in the database: ALTER ROLE \"{user}\" IN DATABASE \"{database}\" RESET default_transaction_read_only.",
            "global" => "It is set for all roles: ALTER ROLE ALL RESET default_transaction_read_only.",
            "client" => $"The connection string sets it: correct Options in {host.Source}.",
            "command line" => "It is set on the server's command line.",
            _ => "The server's configuration sets it: ALTER SYSTEM RESET default_transaction_read_only, or correct postgresql.conf, then SELECT pg_reload_conf().",
        };
    }

    /// <summary>Whether the last observation takes the host out of rotation, rather than only making it suspect.</summary>
    public static bool IsOut(HostSnapshot host) => host.Last?.Failure is { } failure
        && OfFailure(failure.Kind, host) is HostState.Down or HostState.Hung or HostState.Restarting or HostState.Misconfigured;

    /// <summary>Whether a probe, rather than a caller, found the host out, so that its last answer is all that is left of it.</summary>
    public static bool IsSilent(HostSnapshot host) => host.Last is { IsFromCaller: false } && IsOut(host);

    private static string ForeignTo(ClusterIdentity identity, HostSnapshot host)
    {
        var doubt = identity.IsFirm ? "" : ", which most answering servers show: the configured primary has not been seen yet";
        return $"{host.Configuration.Endpoint} belongs to another cluster (system identifier {host.Answer!.SystemIdentifier}, not {identity.SystemIdentifier}{doubt}). " +
            $"Correct the address in {host.Configuration.Source}; or, if this is the right cluster, {OperatorRuling.HowToAccept(host)}.";
    }

    private static HostState OfFailure(FailureKind kind, HostSnapshot host) => kind switch
    {
        // None: the probe failed for a reason of its own, such as a statement_timeout of our role.
        FailureKind.Timeout or FailureKind.None when host.Misses < MissesUntilOut && host is { LastAnswered: not null, Probation.IsOut: false } => HostState.Suspect,
        FailureKind.Full => HostState.Full,
        FailureKind.Timeout or FailureKind.Hung => HostState.Hung,
        // Terminated: a server that shuts down or crashes ends a login in progress with 57P01 or 57P02.
        FailureKind.Restarting or FailureKind.Terminated => HostState.Restarting,
        FailureKind.Misconfigured => HostState.Misconfigured,
        // A name that once resolved to the server is not misspelled: orchestrators withdraw the names of servers that are down.
        FailureKind.NameUnknown when host.LastAnswered is null => HostState.Misconfigured,
        _ => HostState.Down,
    };
}
