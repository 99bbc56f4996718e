namespace ReplicaRouter.Simulation;

/// <summary>A piece of work for a server.</summary>
/// <param name="demandMs">How long it takes on a healthy server, in ms.</param>
/// <param name="ended">Called at the server, with whether the work was completed rather than lost with its connection.</param>
internal sealed class Job(double demandMs, Action<bool> ended)
{
    public double DemandMs => demandMs;

    /// <summary>Whether it has arrived at its server.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Whether it is completed, lost or cancelled.</summary>
    public bool IsOver { get; private set; }

    public void CallOff() => IsOver = true;

    public void End(bool isDone)
    {
        if (IsOver) return;
        IsOver = true;
        ended(isDone);
    }
}
