using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace ReplicaRouter.Dashboard;

/// <summary>The open pages of one router. Each is a stream of server-sent events; their number and duration are bounded.</summary>
internal sealed class Pages(TimeProvider time, CancellationToken stopToken)
{
    /// <summary>Most streams at once. Further pages poll every few seconds instead.</summary>
    public const int Most = 64;

    /// <summary>How long a stream lasts. Its page then opens another one, which is authorized like any request, so that a sign-out takes effect within this time.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(1);

    /// <summary>The last event of a stream: the page must open another one. Browsers drop events without data.</summary>
    private static readonly SseItem<string> s_again = new("again", "again");

    // A page this many messages behind is disconnected; when it reconnects, it gets the full state.
    private const int Backlog = 16;

    private readonly HashSet<Page> _open = [];
    private int _places = Most;

    public bool AreOpen => _open.Count > 0;

    /// <summary>Returns a slot for one more stream, to dispose at its end; null when all slots are taken.</summary>
    public IDisposable? TryEnter()
    {
        if (Interlocked.Decrement(ref _places) >= 0) return new Place(this);
        Interlocked.Increment(ref _places);
        return null;
    }

    /// <summary>Sends each page a message, built once for all operators and once for all other users. Requires the feed's lock.</summary>
    /// <param name="create">Builds the message: for operators, or for other users.</param>
    public void Send(Func<bool, SseItem<string>> create)
    {
        SseItem<string>? forOperators = null, forOthers = null;
        foreach (var page in _open)
        {
            var message = page.IsOperators ? forOperators ??= create(true) : forOthers ??= create(false);
            if (!page.Messages.Writer.TryWrite(message)) page.Messages.Writer.TryComplete();
        }
    }

    /// <summary>Streams to one page: the full state, then updates.</summary>
    /// <param name="isOperators">Whether the page is an operator's.</param>
    /// <param name="welcome">Builds the full state, once the page is registered.</param>
    /// <param name="guard">The feed's lock.</param>
    /// <param name="abortToken">Cancelled when the page is gone.</param>
    public async IAsyncEnumerable<SseItem<string>> ReadAsync(bool isOperators, Func<SseItem<string>> welcome, Lock guard, [EnumeratorCancellation] CancellationToken abortToken)
    {
        using var life = new CancellationTokenSource(Life, time);
        // An open page must not delay the application's shutdown.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(abortToken, stopToken, life.Token);
        var page = new Page(isOperators, Channel.CreateBounded<SseItem<string>>(new BoundedChannelOptions(Backlog) { SingleReader = true }));
        try
        {
            SseItem<string> first;
            lock (guard)
            {
                _open.Add(page);
                first = welcome();
            }

            yield return first;
            while (await MoreAsync(page.Messages.Reader, end.Token).ConfigureAwait(false))
            {
                while (page.Messages.Reader.TryRead(out var message)) yield return message;
            }

            if (!abortToken.IsCancellationRequested && !stopToken.IsCancellationRequested) yield return s_again;
        }
        finally
        {
            lock (guard) _open.Remove(page);
        }
    }

    private static async Task<bool> MoreAsync(ChannelReader<SseItem<string>> reader, CancellationToken endToken)
    {
        try
        {
            return await reader.WaitToReadAsync(endToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private sealed record Page(bool IsOperators, Channel<SseItem<string>> Messages);

    private sealed class Place(Pages pages) : IDisposable
    {
        private int _isLeft;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isLeft, 1) == 0) Interlocked.Increment(ref pages._places);
        }
    }
}
