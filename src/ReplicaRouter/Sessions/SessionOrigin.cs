namespace ReplicaRouter;

/// <summary>Where a session's first tokens are to be found, should the session ever need them: as in a request that mostly touches no database.</summary>
internal abstract class SessionOrigin
{
    /// <summary>Called once, at the session's first use.</summary>
    /// <returns>The tokens; null stands for none.</returns>
    public abstract IEnumerable<string?> ReadTokens();
}
