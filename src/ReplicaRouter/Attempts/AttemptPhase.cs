namespace ReplicaRouter.Attempts;

/// <summary>How far an attempt got before it failed.</summary>
internal enum AttemptPhase
{
    /// <summary>Opening a connection: nothing of the work was sent.</summary>
    Opening,

    /// <summary>In the work's first command: nothing was sent before or after it.</summary>
    FirstCommand,

    /// <summary>Elsewhere in the work: in a later command, in COPY, or in the caller's own code.</summary>
    Work,

    /// <summary>From just before COMMIT is sent until the end of <c>WithTransactionAsync</c>.</summary>
    Commit,
}
