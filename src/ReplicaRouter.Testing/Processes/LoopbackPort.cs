using System.Net;
using System.Net.Sockets;

namespace ReplicaRouter.Testing.Processes;

/// <summary>A TCP port on 127.0.0.1 that is reserved until disposed, even while nothing listens on it.</summary>
internal sealed class LoopbackPort : IDisposable
{
    // Below Linux's ephemeral ports (from 32768): no outgoing connection takes the port of a server that is down.
    private const int First = 20000;
    private const int Count = 10000;
    private readonly Socket? _claim;

    private LoopbackPort(int number, Socket? claim) => (Number, _claim) = (number, claim);

    internal int Number { get; }

    internal static LoopbackPort Any()
    {
        var start = Random.Shared.Next(Count);
        for (var i = 0; i < Count; i++)
        {
            if (TryClaim(First + ((start + i) % Count)) is { } port) return port;
        }
        throw new LocalClusterException($"No port of 127.0.0.1 is free from {First} to {First + Count - 1}.");
    }

    internal static LoopbackPort Exactly(int number) => TryClaim(number)
        ?? throw new LocalClusterException(
            $"Port {number} of 127.0.0.1 is taken. Choose another {nameof(LocalClusterOptions.PrimaryPort)}, or leave it unset for a free one.");

    /// <summary>Returns the port of an existing server, without reserving it.</summary>
    internal static LoopbackPort Known(int number) => new(number, null);

    public void Dispose() => _claim?.Dispose();

    private static LoopbackPort? TryClaim(int number)
    {
        // A name in the abstract Unix namespace is unique on the machine and vanishes with its process: a lock without a file.
        var claim = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            claim.Bind(new UnixDomainSocketEndPoint($"\0replicarouter/port/{number}"));
            using var listener = new TcpListener(IPAddress.Loopback, number);
            listener.Start();
            return new(number, claim);
        }
        catch (SocketException)
        {
            claim.Dispose();
            return null;
        }
    }
}
