using Microsoft.Playwright;

namespace ReplicaRouter.BrowserTests;

/// <summary>A visitor of the page, who also records the browser's complaints.</summary>
internal sealed class Visitor(IBrowserContext context, IPage page) : IAsyncDisposable
{
    private readonly List<string> _complaints = [];

    public IPage Page => page;

    /// <summary>Script errors, failed requests and violations of the Content-Security-Policy.</summary>
    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (_complaints) return [.. _complaints];
        }
    }

    public static async Task<Visitor> OpenAsync(IBrowserContext context, Uri address, Func<IPage, Task>? prepare)
    {
        var visitor = new Visitor(context, await context.NewPageAsync());
        visitor.Page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") visitor.Complain(message.Text);
        };
        visitor.Page.PageError += (_, error) => visitor.Complain(error);
        if (prepare is not null) await prepare(visitor.Page);
        await visitor.Page.GotoAsync(address.ToString());
        await visitor.Page.Locator("body.live").WaitForAsync();
        return visitor;
    }

    /// <summary>Waits until a host's card shows a state.</summary>
    public Task SeesAsync(string host, HostState state, double seconds = 15) =>
        page.Locator($"[data-host={host}][data-state={state}]").WaitForAsync(new() { Timeout = (float)(seconds * 1000) });

    /// <summary>Waits until an event contains these words.</summary>
    public Task HearsAsync(string words) => page.Locator("#events li", new() { HasText = words }).First.WaitForAsync(new() { Timeout = 15_000 });

    public ILocator Button(string name) => page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    /// <summary>Sends an order as the page would, and returns the response's status.</summary>
    public Task<int> OrderAsync(string path, bool withToken) => page.EvaluateAsync<int>(
        """
        ([path, withToken]) => {
          const token = document.querySelector('meta[name=operator-token]');
          return fetch(path, { method: 'POST', headers: withToken && token ? { [token.dataset.header]: token.content } : {} }).then(response => response.status);
        }
        """,
        new object[] { path, withToken });

    private void Complain(string message)
    {
        lock (_complaints) _complaints.Add(message);
    }

    public ValueTask DisposeAsync() => context.DisposeAsync();
}
