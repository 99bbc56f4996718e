namespace ReplicaRouter.Sessions;

/// <summary>What a session begins with, such as a request: its first tokens, read only when needed as most requests use no database, and the route stated for it.</summary>
internal abstract class SessionOrigin
{
    /// <summary>Returns the tokens; null for none. Called once, at the session's first use.</summary>
    public abstract IEnumerable<string?> ReadTokens();

    /// <summary>The route stated for all code that the session covers, if any.</summary>
    public virtual DatabaseRoute? Route => null;
}
