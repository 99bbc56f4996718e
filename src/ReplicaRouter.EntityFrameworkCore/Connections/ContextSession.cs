namespace ReplicaRouter;

/// <summary>Sees to it that a context which has written sees that itself: also where no session covers its code, or another one than when it wrote.</summary>
internal sealed class ContextSession(DatabaseRouter router)
{
    private DatabaseSession? _own;
    private DatabaseSession? _wroteIn;

    /// <summary>Called when the context opens a connection to write.</summary>
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

    /// <summary>What a query has to ask for, beyond what it asks for by itself.</summary>
    public OperationOptions? ForRead(OperationOptions? options)
    {
        // As long as it has not written, it is bound by no more than the session around it.
        if (_wroteIn is null || options is { Session: not null } or { Consistency: not null }) return options;
        var ambient = router.CurrentSession?.Root;
        if (ambient == _wroteIn) return options;
        return ambient is null && _own == _wroteIn
            ? (options ?? new OperationOptions()) with { Session = _own }
            : (options ?? new OperationOptions()) with { Consistency = Consistency.Strong };
    }
}
