namespace ReplicaRouter.Sessions;

/// <summary>Judges whether a connection to a replica is proven to show what a session needs.</summary>
/// <remarks>
/// The address alone proves nothing: its server may have crashed since the last probe, and be back with less replayed; or it may lead to
/// another server by now. What a connection showed at its login does, and each later answer of the same run.
/// </remarks>
internal static class ConnectionProof
{
    /// <summary>Whether it is, by what the server said at the connection's login, and what is known of the replica now.</summary>
    public static bool Holds(SessionState session, TopologySnapshot topology, HostConfiguration replica, HostAnswer login)
    {
        // Of a host that was removed meanwhile nothing is known.
        if (topology.At(replica.Index) is not { } host || host.Answer?.Server != login.Server) return false;
        if (session.FloorOn(topology, host, login.ConnectedAt) is not { } floor) return false;
        return floor.IsNone || (login.ReplayTimeline == topology.Timeline && login.ReplayLsn >= floor.Lsn)
            || (host.LastAnswered!.SentAt >= login.ConnectedAt && topology.Reaches(host, floor));
    }
}
