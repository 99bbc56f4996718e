using Microsoft.Playwright;

namespace ReplicaRouter.BrowserTests;

/// <summary>Somebody who looks at the page, and sees what a browser complains of.</summary>
internal sealed class Visitor(IBrowserContext context, IPage page) : IAsyncDisposable
{
    private readonly List<string> _complaints = [];

    public IPage Page => page;

    /// <summary>Errors of scripts, failed requests, and what the Content-Security-Policy forbade.</summary>
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

    /// <summary>Waits until the newest events tell something.</summary>
    public Task HearsAsync(string words) => page.Locator("#events li", new() { HasText = words }).First.WaitForAsync(new() { Timeout = 15_000 });

    public ILocator Button(string name) => page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    /// <summary>Sends an order as the page would, and returns the answer's status.</summary>
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
