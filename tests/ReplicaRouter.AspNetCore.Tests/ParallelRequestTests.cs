using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using ReplicaRouter.Tests;

namespace ReplicaRouter.AspNetCore.Tests;

/// <summary>Overlapping requests of one browser, whose responses arrive in any order.</summary>
[Trait("Failure", "A6")]
public class ParallelRequestTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Each request is sent and served, and its response arrives. The three steps of several requests are interleaved in every order.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task After_requests_in_any_order_the_next_one_sees_what_every_response_showed(int requests)
    {
        await using var app = await TestApplication.StartAsync(_ => { }, services => services.AddSingleton<IDataProtectionProvider, OpenProtection>());
        var builder = new ApplicationBuilder(app.Services);
        builder.UseReplicaRouter();
        builder.Run(Work);
        var browser = new Browser(app.Services, builder.Build());
        var kinds = Enumerable.Range(0, (int)Math.Pow(3, requests)).Select(code => Enumerable.Range(0, requests).Select(i => (Kind)(code / (int)Math.Pow(3, i) % 3)).ToArray());
        var orders = Orders([.. Enumerable.Repeat(0, requests)]).Select(order => order.ToArray()).ToList();
        Assert.Equal(requests == 2 ? 20 : 1680, orders.Count);
        foreach (var kind in kinds)
        {
            foreach (var order in orders) await browser.RunAsync(kind, order);
        }
    }

    /// <summary>The same over HTTP: a slow page begins before a save and ends after it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_slow_page_that_began_before_a_save_does_not_hide_it(bool isSaveSlow)
    {
        var (isAtWork, mayEnd) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var app = await TestApplication.StartAsync(app =>
        {
            TestApplication.MapWork(app);
            app.MapMethods("/slow", ["GET", "POST"], async (HttpContext context, DatabaseRouter router) =>
            {
                Show(router, HttpMethods.IsPost(context.Request.Method) ? 90UL : 70UL);
                isAtWork.SetResult();
                await mayEnd.Task;
            });
            app.MapPost("/save", (DatabaseRouter router) => Show(router, 90));
            app.MapGet("/page", (DatabaseRouter router) => Show(router, 70));
        });
        using var client = app.Client();
        var jar = new CookieJar();
        jar.Receive(await SendAsync(client, HttpMethod.Get, "/page", ""));
        Assert.Equal(1, jar.Count);
        var slow = SendAsync(client, isSaveSlow ? HttpMethod.Post : HttpMethod.Get, "/slow", jar.Header);
        await isAtWork.Task.WaitAsync(TimeSpan.FromSeconds(30), Ct);
        jar.Receive(await SendAsync(client, isSaveSlow ? HttpMethod.Get : HttpMethod.Post, isSaveSlow ? "/page" : "/save", jar.Header));
        mayEnd.SetResult();
        jar.Receive(await slow);

        using var next = new HttpRequestMessage(HttpMethod.Get, "/position");
        next.Headers.Add("Cookie", jar.Header);
        using var response = await client.SendAsync(next, Ct);
        Assert.Equal("90", await response.Content.ReadAsStringAsync(Ct));
        jar.Receive(await SendAsync(client, HttpMethod.Post, "/work", jar.Header));
        Assert.Equal(1, jar.Count);
    }

    [Fact]
    public async Task A_position_that_a_request_brought_is_not_sent_back()
    {
        await using var app = await TestApplication.StartAsync(TestApplication.MapWork);
        using var client = app.Client();
        var jar = new CookieJar();
        jar.Receive(await SendAsync(client, HttpMethod.Post, "/work", ""));
        jar.Receive(await SendAsync(client, HttpMethod.Get, "/work", jar.Header));
        Assert.Empty(await SendAsync(client, HttpMethod.Get, "/work", jar.Header));
        Assert.Equal(1, jar.Count);
    }

    private enum Kind
    {
        Write,
        Read,

        /// <summary>Reads at once, and is answered late.</summary>
        SlowRead,
    }

    /// <summary>One browser, which is the only writer of a database.</summary>
    private sealed class Browser(IServiceProvider services, RequestDelegate pipeline)
    {
        private ulong _written;

        public async Task RunAsync(Kind[] kinds, int[] order)
        {
            _written = 10;
            var (jar, seen) = (new CookieJar(), 0UL);
            var requests = kinds.Select(kind => new Request(kind)).ToArray();
            foreach (var index in order)
            {
                var request = requests[index];
                switch (request.Step++)
                {
                    case 0:
                        (request.Cookies, request.Shown, request.MustSee) = (jar.Header, _written, seen);
                        break;
                    case 1:
                        if (request.Kind == Kind.Write) _written += 10;
                        if (request.Kind != Kind.SlowRead) request.Shown = _written;
                        await ServeAsync(request);
                        Assert.True(request.Brought >= request.MustSee, $"{string.Join(' ', kinds)} in the order {string.Join(' ', order)}: must see {request.MustSee}, brought {request.Brought}");
                        break;
                    default:
                        jar.Receive(request.SetCookies);
                        seen = Math.Max(seen, request.Shown);
                        break;
                }
            }

            var last = new Request(Kind.Read) { Cookies = jar.Header, Shown = _written };
            await ServeAsync(last);
            Assert.True(last.Brought >= seen, $"{string.Join(' ', kinds)} in the order {string.Join(' ', order)}: seen {seen}, brought {last.Brought}");
            jar.Receive(last.SetCookies);
            Assert.Equal(1, jar.Count);
        }

        private async Task ServeAsync(Request request)
        {
            var response = new StartingResponse();
            var context = new DefaultHttpContext { RequestServices = services };
            context.Features.Set<IHttpResponseFeature>(response);
            context.Request.Headers.Cookie = request.Cookies;
            context.Items[typeof(Request)] = request;
            await pipeline(context);
            await response.StartAsync();
            request.SetCookies = [.. context.Response.Headers.SetCookie];
        }
    }

    private sealed class Request(Kind kind)
    {
        public Kind Kind => kind;
        public int Step { get; set; }
        public string Cookies { get; set; } = "";
        public ulong Shown { get; set; }
        public ulong MustSee { get; set; }
        public ulong Brought { get; set; }
        public string?[] SetCookies { get; set; } = [];
    }

    private static async Task Work(HttpContext context)
    {
        var request = (Request)context.Items[typeof(Request)]!;
        var router = context.RequestServices.GetRequiredService<DatabaseRouter>();
        var brought = await router.CurrentSession!.GetTokenAsync(context.RequestAborted);
        if (SessionToken.TryDecode(brought, [], out var token)) request.Brought = token.Position.Lsn;
        Show(router, request.Shown);
    }

    /// <summary>Makes the request's session see a position.</summary>
    private static void Show(DatabaseRouter router, ulong lsn) =>
        router.CurrentSession!.Merge(new SessionToken(new WalPosition(TestTopology.Cluster, 1, lsn), DateTimeOffset.UnixEpoch, false).Encode([]));

    private static async Task<string[]> SendAsync(HttpClient client, HttpMethod method, string path, string cookies)
    {
        using var request = new HttpRequestMessage(method, path);
        if (cookies.Length > 0) request.Headers.Add("Cookie", cookies);
        using var response = await client.SendAsync(request, Ct);
        Assert.True(response.IsSuccessStatusCode, response.StatusCode.ToString());
        return response.Headers.TryGetValues("Set-Cookie", out var values) ? [.. values] : [];
    }

    /// <summary>Returns all interleavings of the requests' three steps.</summary>
    private static IEnumerable<IEnumerable<int>> Orders(int[] steps)
    {
        if (steps.All(done => done == 3)) return [[]];
        return Enumerable.Range(0, steps.Length).Where(i => steps[i] < 3).SelectMany(i => Orders([.. steps.Select((done, j) => done + (i == j ? 1 : 0))]).Select(rest => rest.Prepend(i)));
    }

    /// <summary>Runs the callbacks for the start of the response, as a server does.</summary>
    private sealed class StartingResponse : HttpResponseFeature
    {
        private readonly Stack<(Func<object, Task> Call, object State)> _starting = [];

        public override void OnStarting(Func<object, Task> callback, object state) => _starting.Push((callback, state));

        public async Task StartAsync()
        {
            foreach (var (call, state) in _starting) await call(state);
        }
    }

    /// <summary>Encrypts nothing, for speed.</summary>
    private sealed class OpenProtection : IDataProtectionProvider, IDataProtector
    {
        public IDataProtector CreateProtector(string purpose) => this;
        public byte[] Protect(byte[] plaintext) => plaintext;
        public byte[] Unprotect(byte[] protectedData) => protectedData;
    }
}
