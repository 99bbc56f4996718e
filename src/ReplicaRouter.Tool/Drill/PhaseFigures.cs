namespace ReplicaRouter.Tool.Drill;

/// <summary>Counts the operations of one phase.</summary>
internal sealed class PhaseFigures(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();
    private readonly List<double> _latencies = [];
    private readonly Dictionary<string, long> _errors = [];
    private readonly Dictionary<string, long> _byHost = [];

    public void Succeeded(string host, TimeSpan took)
    {
        lock (_lock)
        {
            _latencies.Add(took.TotalMilliseconds);
            _byHost[host] = _byHost.GetValueOrDefault(host) + 1;
        }
    }

    public void Failed(Exception error)
    {
        lock (_lock)
        {
            var kind = $"{error.GetType().Name}: {error.Message}";
            _errors[kind] = _errors.GetValueOrDefault(kind) + 1;
        }
    }

    public PhaseReport Report(string name, TimeSpan? recovery)
    {
        lock (_lock)
        {
            _latencies.Sort();
            return new PhaseReport(
                name, time.GetElapsedTime(_start).TotalSeconds, _latencies.Count, new Dictionary<string, long>(_errors),
                Quantile(0.5), Quantile(0.99), Quantile(1), new SortedDictionary<string, long>(_byHost), recovery?.TotalMilliseconds);
        }
    }

    private double Quantile(double share) => _latencies.Count == 0 ? 0 : _latencies[(int)Math.Min(_latencies.Count - 1, share * _latencies.Count)];
}
