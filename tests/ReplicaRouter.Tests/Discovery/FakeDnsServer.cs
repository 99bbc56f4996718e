using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ReplicaRouter.Tests.Discovery;

/// <summary>A nameserver on loopback whose answers the test sets.</summary>
internal sealed class FakeDnsServer : IAsyncDisposable
{
    private const ushort A = 1;
    private const ushort Aaaa = 28;
    private const ushort Srv = 33;

    private readonly UdpClient _socket = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly Task _loop;
    private int _questions;

    public FakeDnsServer() => _loop = AnswerAsync();

    public IPEndPoint EndPoint => (IPEndPoint)_socket.Client.LocalEndPoint!;

    public IReadOnlyList<IPAddress> Addresses { get; set; } = [];

    public IReadOnlyList<(string Target, int Port, int Weight)> Services { get; set; } = [];

    public uint TimeToLive { get; set; } = 1;

    /// <summary>The RCODE: 0 is success, 2 a server failure, 3 a name that does not exist.</summary>
    public int ResponseCode { get; set; }

    public int Questions => Volatile.Read(ref _questions);

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _loop;
    }

    private async Task AnswerAsync()
    {
        while (true)
        {
            UdpReceiveResult query;
            try
            {
                query = await _socket.ReceiveAsync();
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException)
            {
                return;
            }

            Interlocked.Increment(ref _questions);
            await _socket.SendAsync(Answer(query.Buffer), query.RemoteEndPoint);
        }
    }

    /// <remarks>Source: RFC 1035, 4.1; RFC 2782.</remarks>
    private byte[] Answer(byte[] query)
    {
        var end = 12;
        while (query[end] != 0) end += query[end] + 1;
        end += 5;
        var type = BinaryPrimitives.ReadUInt16BigEndian(query.AsSpan(end - 4));
        var records = ResponseCode != 0 ? [] : RecordsOf(type).ToList();
        List<byte> answer = [query[0], query[1], 0x81, (byte)(0x80 | ResponseCode), 0, 1, 0, (byte)records.Count, 0, 0, 0, 0, .. query[12..end]];
        foreach (var data in records) answer.AddRange([0xC0, 12, .. Word(type), 0, 1, .. Long(TimeToLive), .. Word((ushort)data.Length), .. data]);
        return [.. answer];
    }

    private IEnumerable<byte[]> RecordsOf(ushort type) => type switch
    {
        A => Addresses.Where(address => address.AddressFamily == AddressFamily.InterNetwork).Select(address => address.GetAddressBytes()),
        Aaaa => Addresses.Where(address => address.AddressFamily == AddressFamily.InterNetworkV6).Select(address => address.GetAddressBytes()),
        Srv => Services.Select(service => (byte[])[0, 0, .. Word((ushort)service.Weight), .. Word((ushort)service.Port), .. NameBytes(service.Target)]),
        _ => [],
    };

    private static IEnumerable<byte> NameBytes(string name) => name.Split('.').SelectMany(label => Encoding.ASCII.GetBytes(label).Prepend((byte)label.Length)).Append((byte)0);

    private static byte[] Word(ushort value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Long(uint value) => [.. Word((ushort)(value >> 16)), .. Word((ushort)value)];
}
