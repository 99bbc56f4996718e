namespace ReplicaRouter.ClusterTests.Idle;

/// <summary>How idle connections end.</summary>
public enum IdleEnd
{
    /// <summary>The server ends them: <c>idle_session_timeout</c>, FATAL 57P05.</summary>
    Server,

    /// <summary>A load balancer ends them with FIN.</summary>
    Fin,

    /// <summary>A load balancer ends them with RST.</summary>
    Rst,

    /// <summary>A firewall forgets them, and silently drops what is sent over them.</summary>
    Silence,
}
