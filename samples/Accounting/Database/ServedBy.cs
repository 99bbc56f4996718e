namespace Accounting.Database;

/// <summary>
/// Which servers answered what runs inside a capture, by their own word: while one is open, every statement brings
/// <c>inet_server_port()</c> back in the same round trip. Without one, statements are sent as they are.
/// </summary>
public sealed class ServedBy : IDisposable
{
    private static readonly AsyncLocal<ServedBy?> s_current = new();
    private readonly Lock _lock = new();
    private readonly List<int> _ports = [];

    private ServedBy()
    {
    }

    /// <summary>The capture around the running code, if any.</summary>
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
