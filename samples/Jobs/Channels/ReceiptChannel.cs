using System.Threading.Channels;
using Jobs.Orders;
using ReplicaRouter;

namespace Jobs.Channels;

#region channel
public sealed class ReceiptChannel(DatabaseRouter router) : IReceiptQueue
{
    private readonly Channel<ReceiptRequest> _requests = Channel.CreateBounded<ReceiptRequest>(1000);

    public IAsyncEnumerable<ReceiptRequest> ReadAllAsync(CancellationToken ct) => _requests.Reader.ReadAllAsync(ct);

    public async Task EnqueueAsync(Guid orderId, CancellationToken ct)
    {
        var token = router.CurrentSession is { } session ? await session.GetTokenAsync(ct) : "";
        await _requests.Writer.WriteAsync(new ReceiptRequest(orderId, token), ct);
    }
}
#endregion
