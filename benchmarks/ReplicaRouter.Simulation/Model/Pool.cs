namespace ReplicaRouter.Simulation;

/// <summary>One process's connections to one host.</summary>
internal sealed class Pool(Server server, int most)
{
    private readonly Queue<Run> _waiting = new();
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

    /// <summary>Whether one more may be opened; else the run gets the next one that is free.</summary>
    public bool MayOpen(Run run)
    {
        if (_open < most)
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
            return;
        }

        _idle++;
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
