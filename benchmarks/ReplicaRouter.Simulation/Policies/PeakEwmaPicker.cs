namespace ReplicaRouter.Simulation;

/// <summary>Picks the cheaper of two random hosts. The cost is a latency average that follows peaks immediately and decays over 10 s, times the operations in flight.</summary>
/// <remarks>Source: Twitter Finagle, "Peak EWMA"; Linkerd uses the same.</remarks>
internal sealed class PeakEwmaPicker(AppProcess process) : IHostPicker
{
    private static readonly double s_decay = TimeSpan.FromSeconds(10).Ticks;

    private readonly double[] _cost = new double[process.Loads.Length];
    private readonly long[] _at = new long[process.Loads.Length];

    public int Pick(in Choice choice)
    {
        var (a, b) = HostSet.Two(choice.Candidates, process.Random);
        return Cost(a) <= Cost(b) ? a : b;
    }

    public void Ended(int host, double milliseconds)
    {
        var now = process.Clock.GetTimestamp();
        var weight = Math.Exp((_at[host] - now) / s_decay);
        _cost[host] = milliseconds > _cost[host] ? milliseconds : (_cost[host] * weight) + (milliseconds * (1 - weight));
        _at[host] = now;
    }

    private double Cost(int host) => _cost[host] * Math.Exp((_at[host] - process.Clock.GetTimestamp()) / s_decay) * (process.Loads[host].InFlight + 1);
}
