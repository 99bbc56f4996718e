namespace ReplicaRouter.Sessions;

/// <summary>Judges whether a connection to a replica provably shows what a session needs.</summary>
/// <remarks>
/// The address alone proves nothing: its server may have crashed since the last probe and be back with less replayed, or the address may lead
/// to another server by now. What the server showed at the connection's login is proof, and so is each later answer of the same run.
/// </remarks>
internal static class ConnectionProof
{
    /// <summary>Whether it does, by the server's answer at the connection's login and what is known of the replica now.</summary>
    public static bool Holds(SessionState session, TopologySnapshot topology, HostConfiguration replica, HostAnswer login)
    {
        // Nothing is known of a host that was removed meanwhile.
        if (topology.At(replica.Index) is not { } host || host.Answer?.Server != login.Server) return false;
        if (session.FloorOn(topology, host, login.ConnectedAt) is not { } floor) return false;
        return floor.IsNone || (login.ReplayTimeline == topology.Timeline && login.ReplayLsn >= floor.Lsn)
            || (host.LastAnswered!.SentAt >= login.ConnectedAt && topology.Reaches(host, floor));
    }
}
