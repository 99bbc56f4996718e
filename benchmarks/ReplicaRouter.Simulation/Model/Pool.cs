namespace ReplicaRouter.Simulation;

/// <summary>One process's connections to one host.</summary>
/// <param name="server">The host.</param>
/// <param name="most">The most connections.</param>
/// <param name="wait">Longest time that an attempt can wait for a connection.</param>
/// <param name="time">The process's clock.</param>
internal sealed class Pool(Server server, int most, TimeSpan wait, TimeProvider time)
{
    private readonly Queue<Run> _waiting = new();
    private readonly StandingQueue _line = new(time);
    private int _idle;
    private int _generation;
    private int _open;

    /// <summary>Adds an idle connection, as a long-running process has one.</summary>
    public void OpenOne()
    {
        server.Enter();
        _idle++;
        _open++;
    }

    /// <summary>Rises when all connections opened before must be dropped.</summary>
    public int Epoch { get; private set; }

    /// <summary>Takes an idle connection, if there is one.</summary>
    /// <param name="generation">The server's generation when the connection was opened. It can be broken by now.</param>
    public bool TryTake(out int generation)
    {
        generation = _generation;
        if (_idle == 0) return false;
        _idle--;
        return true;
    }

    /// <summary>Whether the pool has its most connections.</summary>
    public bool IsFull => _open >= most;

    /// <summary>Whether more attempts are queued than can be served in time.</summary>
    public bool IsLineTooLong => IsFull && _line.IsTooLong(_waiting.Count, wait, most);

    /// <summary>Whether another connection can be opened; otherwise queues the attempt for the next idle one.</summary>
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

    /// <summary>Notes the length of the queue, as the product's <c>LoginThrottle</c> does.</summary>
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

    /// <summary>A connection could not be opened.</summary>
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
