namespace Accounting.Database;

/// <summary>
/// Records which servers answered the statements inside a capture, as the servers report it: while a capture is open, every statement
/// also returns <c>inet_server_port()</c> in the same round trip. Without a capture, statements are sent unchanged.
/// </summary>
public sealed class ServedBy : IDisposable
{
    private static readonly AsyncLocal<ServedBy?> s_current = new();
    private readonly Lock _lock = new();
    private readonly List<int> _ports = [];

    private ServedBy()
    {
    }

    /// <summary>The capture of the current asynchronous flow, if any.</summary>
    public static ServedBy? Current => s_current.Value;

    /// <summary>The ports that answered, in order, one per statement.</summary>
    public IReadOnlyList<int> Ports
    {
        get { lock (_lock) return [.. _ports]; }
    }

    /// <summary>Opens a capture, until disposed, for this asynchronous flow and what it awaits.</summary>
    public static ServedBy Capture() => s_current.Value = new ServedBy();

    public void Dispose() => s_current.Value = null;

    internal void Add(int port)
    {
        lock (_lock) _ports.Add(port);
    }
}
