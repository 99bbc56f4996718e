namespace ReplicaRouter.Simulation;

/// <summary>One process's connections to one host.</summary>
/// <param name="server">The host.</param>
/// <param name="most">Most connections.</param>
/// <param name="wait">Time that a run may wait for one.</param>
/// <param name="time">The process's clock.</param>
internal sealed class Pool(Server server, int most, TimeSpan wait, TimeProvider time)
{
    private readonly Queue<Run> _waiting = new();
    private readonly StandingLine _line = new(time);
    private int _idle;
    private int _generation;
    private int _open;

    /// <summary>Begins with a connection that has been there for long.</summary>
    public void OpenOne()
    {
        server.Enter();
        _idle++;
        _open++;
    }

    /// <summary>Rises when all that was opened before is to be dropped.</summary>
    public int Epoch { get; private set; }

    /// <summary>Whether a connection was free.</summary>
    /// <param name="generation">The server's generation when it was opened: it may be broken by now.</param>
    public bool TryTake(out int generation)
    {
        generation = _generation;
        if (_idle == 0) return false;
        _idle--;
        return true;
    }

    /// <summary>Whether there are as many connections as there may be.</summary>
    public bool IsFull => _open >= most;

    /// <summary>Whether more runs wait than can be served in time.</summary>
    public bool IsLineTooLong => IsFull && _line.IsTooLong(_waiting.Count, wait, most);

    /// <summary>Whether one more may be opened; else the run gets the next one that is free.</summary>
    public bool MayOpen(Run run)
    {
        if (!IsFull)
        {
            _open++;
            return true;
        }

        _waiting.Enqueue(run);
        return false;
    }

    public void Opened(int generation)
    {
        if (generation == _generation) return;
        _idle = 0;
        _generation = generation;
    }

    public void Return(int epoch, int generation, bool isBroken)
    {
        if (epoch != Epoch || generation != _generation || isBroken)
        {
            if (epoch == Epoch) _open--;
            server.Leave(generation);
            return;
        }

        while (_waiting.TryDequeue(out var next))
        {
            if (!next.TryGoOn(epoch, generation)) continue;
            Note(served: 1);
            return;
        }

        Note(served: 0);
        _idle++;
    }

    /// <summary>As the product's <c>LoginThrottle</c> does.</summary>
    private void Note(int served)
    {
        var stood = _line.IsStanding;
        _line.Note(IsFull ? _waiting.Count : 0, served, most);
        if (stood || !_line.IsStanding) return;
        Run[] all = [.. _waiting];
        _waiting.Clear();
        foreach (var run in all.Take(most)) _waiting.Enqueue(run);
        foreach (var run in all.Skip(most)) run.Refuse();
    }

    /// <summary>An opening came to nothing.</summary>
    public void Failed(int epoch)
    {
        if (epoch == Epoch) _open--;
    }

    public void Clear()
    {
        for (; _idle > 0; _idle--) server.Leave(_generation);
        Epoch++;
        _open = 0;
        Queue<Run> waiting = new(_waiting);
        _waiting.Clear();
        while (waiting.TryDequeue(out var run)) run.ChooseAgain();
    }
}
