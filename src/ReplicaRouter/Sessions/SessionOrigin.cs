namespace ReplicaRouter;

/// <summary>
/// What a session began from, as a request: where its first tokens are to be found, should it ever need them, for most requests touch no
/// database; and the route that was stated for it.
/// </summary>
internal abstract class SessionOrigin
{
    /// <summary>Called once, at the session's first use.</summary>
    /// <returns>The tokens; null stands for none.</returns>
    public abstract IEnumerable<string?> ReadTokens();

    /// <summary>What the code that the session covers is about to do, if that was stated for all of it.</summary>
    public virtual DatabaseRoute? Route => null;
}
