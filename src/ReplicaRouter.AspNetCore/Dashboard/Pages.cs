using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace ReplicaRouter.Dashboard;

/// <summary>The open pages. Each is a stream of server-sent events; their number and their lives are bounded.</summary>
internal sealed class Pages(TimeProvider time, CancellationToken stopToken)
{
    /// <summary>Streams that a process serves at once. Beyond that pages ask every few seconds instead.</summary>
    public const int Most = 64;

    /// <summary>A stream ends then, and its page opens another one: as a request like any other it is authorized again, so a sign-out takes effect by then.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(1);

    /// <summary>The last event of a stream whose page is to open another one. Data must not be empty, or browsers drop the event.</summary>
    private static readonly SseItem<string> s_again = new("again", "again");

    // A page that is so far behind is sent away; when it connects again it gets all that is known.
    private const int Backlog = 16;

    private readonly HashSet<Page> _open = [];
    private int _places = Most;

    public bool AreOpen => _open.Count > 0;

    /// <summary>A place for one more stream, to be disposed of at its end; null when there are too many.</summary>
    public IDisposable? TryEnter()
    {
        if (Interlocked.Decrement(ref _places) >= 0) return new Place(this);
        Interlocked.Increment(ref _places);
        return null;
    }

    /// <summary>Sends each page a message, made once for all operators and once for all others. Under the feed's lock.</summary>
    /// <param name="create">Makes it, for operators or for others.</param>
    public void Send(Func<bool, SseItem<string>> create)
    {
        SseItem<string>? forOperators = null, forOthers = null;
        foreach (var page in _open)
        {
            var message = page.IsOperators ? forOperators ??= create(true) : forOthers ??= create(false);
            if (!page.Messages.Writer.TryWrite(message)) page.Messages.Writer.TryComplete();
        }
    }

    /// <summary>What a page is sent: all that is known, then what is new.</summary>
    /// <param name="isOperators">Whether an operator looks at it.</param>
    /// <param name="welcome">Gives all that is known, once the page is among the open ones.</param>
    /// <param name="guard">The feed's lock.</param>
    /// <param name="abortToken">Cancelled when the page is gone.</param>
    public async IAsyncEnumerable<SseItem<string>> ReadAsync(bool isOperators, Func<SseItem<string>> welcome, Lock guard, [EnumeratorCancellation] CancellationToken abortToken)
    {
        using var life = new CancellationTokenSource(Life, time);
        // An open page must not hold up the application's end.
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
