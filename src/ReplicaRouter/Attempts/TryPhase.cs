namespace ReplicaRouter.Attempts;

/// <summary>How far a try had come when it failed.</summary>
internal enum TryPhase
{
    /// <summary>A connection was being opened: nothing of the work was sent.</summary>
    Opening,

    /// <summary>In the first command of the work: nothing was sent before it, and nothing after.</summary>
    FirstCommand,

    /// <summary>Anywhere else in the work: in a later command, in COPY, or in the caller's own code.</summary>
    Work,

    /// <summary>From the moment before COMMIT was sent until the end of <c>WithTransactionAsync</c>.</summary>
    Commit,
}
