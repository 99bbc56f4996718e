namespace ReplicaRouter.Sessions;

/// <summary>What a session began from, as a request: where to look for its first tokens once it needs them, as most requests touch no database; and the route stated for it.</summary>
internal abstract class SessionOrigin
{
    /// <summary>The tokens, null for none; called once, at the session's first use.</summary>
    public abstract IEnumerable<string?> ReadTokens();

    /// <summary>What the code that the session covers is about to do, if that was stated for all of it.</summary>
    public virtual DatabaseRoute? Route => null;
}
