namespace ReplicaRouter;

/// <summary>Makes a context see its own writes, even if its code runs in no session, or in a different one than when it wrote.</summary>
internal sealed class ContextSession(DatabaseRouter router)
{
    private DatabaseSession? _own;
    private DatabaseSession? _wroteIn;

    /// <summary>Returns the options with which the context opens a connection to write, and remembers the session.</summary>
    public OperationOptions? ForWrite(OperationOptions? options)
    {
        if (options is { Session: not null }) return options;
        if (router.CurrentSession is { } ambient)
        {
            _wroteIn = ambient.Root;
            return options;
        }

        _wroteIn = _own ??= router.CreateSession();
        return (options ?? new OperationOptions()) with { Session = _own };
    }

    /// <summary>Returns a query's options, extended by what the context's own writes require.</summary>
    public OperationOptions? ForRead(OperationOptions? options)
    {
        // A context that has not written needs no more than the ambient session.
        if (_wroteIn is null || options is { Session: not null } or { Consistency: not null }) return options;
        var ambient = router.CurrentSession?.Root;
        if (ambient == _wroteIn) return options;
        return ambient is null && _own == _wroteIn
            ? (options ?? new OperationOptions()) with { Session = _own }
            : (options ?? new OperationOptions()) with { Consistency = Consistency.Strong };
    }
}
