using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Net.Http.Headers;

namespace ReplicaRouter.AspNetCore.Tests;

public class SessionMiddlewareTests
{
    private const string Cookie = "replica-router";
    private const string Header = "replica-router-token";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_that_uses_no_database_returns_no_token()
    {
        await using var app = await TestApplication.StartAsync(TestApplication.MapWork);
        using var client = app.Client();
        using var response = await client.GetAsync("/idle", Ct);
        Assert.False(response.Headers.Contains(HeaderNames.SetCookie));
        Assert.False(response.Headers.Contains(Header));
    }

    [Theory]
    [InlineData("http", CookieSecurePolicy.SameAsRequest, false)]
    [InlineData("https", CookieSecurePolicy.SameAsRequest, true)]
    [InlineData("http", CookieSecurePolicy.Always, true)]
    [InlineData("https", CookieSecurePolicy.None, false)]
    [Trait("Failure", "C12")]
    public async Task The_session_cookie_is_not_available_to_scripts_and_other_sites(string scheme, CookieSecurePolicy policy, bool isSecure)
    {
        await using var app = await TestApplication.StartAsync(TestApplication.MapWork, services => services.AddReplicaRouterWeb(options => options.CookieSecurePolicy = policy));
        var context = await app.SendAsync(context =>
        {
            context.Request.Method = "POST";
            context.Request.Scheme = scheme;
            context.Request.Path = "/work";
        });
        var cookie = SetCookieHeaderValue.Parse(context.Response.Headers.SetCookie.ToString());
        Assert.StartsWith(Cookie + ".", cookie.Name.ToString(), StringComparison.Ordinal);
        Assert.True(cookie.HttpOnly);
        Assert.Equal(isSecure, cookie.Secure);
        Assert.Equal(Microsoft.Net.Http.Headers.SameSiteMode.Lax, cookie.SameSite);
        Assert.Equal("/", cookie.Path.ToString());
        Assert.Equal(TimeSpan.FromMinutes(10), cookie.MaxAge);
        Assert.Null(cookie.Domain.Value);
    }

    [Theory]
    [InlineData("POST", true)]
    [InlineData("POST", false)]
    [InlineData("GET", true)]
    public async Task The_next_request_sees_what_the_previous_one_wrote_or_read(string method, bool byCookie)
    {
        await using var app = await TestApplication.StartAsync(TestApplication.MapWork, lsn: 777);
        using var client = app.Client();
        Assert.Equal("none", await client.GetStringAsync("/position", Ct));
        using var first = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), "/work"), Ct);
        using var next = new HttpRequestMessage(HttpMethod.Get, "/position");
        if (byCookie) next.Headers.Add("Cookie", $"{Cookie}.a={CookieOf(first)}");
        else next.Headers.Add(Header, first.Headers.GetValues(Header).Single());
        using var second = await client.SendAsync(next, Ct);
        Assert.Equal("777", await second.Content.ReadAsStringAsync(Ct));
        // It learned nothing new, so there is nothing to send.
        Assert.False(second.Headers.Contains(HeaderNames.SetCookie));
    }

    [Fact]
    public async Task The_later_position_of_cookie_and_header_counts()
    {
        await using var old = await TestApplication.StartAsync(TestApplication.MapWork, SharedKeys, lsn: 100);
        await using var young = await TestApplication.StartAsync(TestApplication.MapWork, SharedKeys, lsn: 200);
        var (first, second) = (await TokenAsync(old), await TokenAsync(young));
        foreach (var (cookie, header) in new[] { (first, second), (second, first) })
        {
            using var client = young.Client();
            using var request = new HttpRequestMessage(HttpMethod.Get, "/position");
            request.Headers.Add("Cookie", $"{Cookie}.a={cookie}");
            request.Headers.Add(Header, header);
            using var response = await client.SendAsync(request, Ct);
            Assert.Equal("200", await response.Content.ReadAsStringAsync(Ct));
        }
    }

    public static TheoryData<string> BadValues => ["tampered", "foreign keys", "expired", "oversized", "unsealed", "%00", "null"];

    [Theory]
    [MemberData(nameof(BadValues))]
    public async Task A_bad_value_is_ignored_counted_once_per_request_and_logged_once(string kind)
    {
        await using var app = await TestApplication.StartAsync(TestApplication.MapWork);
        var value = await BadValueAsync(app, kind);
        for (var request = 1; request <= 2; request++)
        {
            using var client = app.Client();
            using var message = new HttpRequestMessage(HttpMethod.Get, "/work");
            message.Headers.TryAddWithoutValidation("Cookie", $"{Cookie}.a={value}");
            using var response = await client.SendAsync(message, Ct);
            Assert.True(response.IsSuccessStatusCode);
            Assert.Equal(request, app.Router.GetMetrics().Sessions.IgnoredTokens);
            // The response carries the request's own position, as always.
            Assert.NotEqual(value, CookieOf(response));
        }

        Assert.Single(app.Logs, line => line.StartsWith("601 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_bad_header_is_ignored_and_counted()
    {
        await using var app = await TestApplication.StartAsync(TestApplication.MapWork);
        using var client = app.Client();
        client.DefaultRequestHeaders.Add(Header, "nonsense");
        Assert.Equal("none", await client.GetStringAsync("/position", Ct));
        Assert.Equal(1, app.Router.GetMetrics().Sessions.IgnoredTokens);
    }

    [Fact]
    public async Task A_request_that_uses_no_database_does_not_read_its_token()
    {
        await using var app = await TestApplication.StartAsync(TestApplication.MapWork);
        using var client = app.Client();
        client.DefaultRequestHeaders.Add("Cookie", $"{Cookie}.a=nonsense");
        await client.GetStringAsync("/idle", Ct);
        Assert.Equal(0, app.Router.GetMetrics().Sessions.IgnoredTokens);
    }

    [Fact]
    public async Task A_bad_cookie_is_deleted()
    {
        await using var app = await TestApplication.StartAsync(TestApplication.MapWork);
        using var client = app.Client();
        client.DefaultRequestHeaders.Add("Cookie", $"{Cookie}.a=nonsense");
        using var response = await client.GetAsync("/position", Ct);
        var cookie = SetCookieHeaderValue.Parse(Assert.Single(response.Headers.GetValues(HeaderNames.SetCookie)));
        Assert.Equal("", cookie.Value.ToString());
        Assert.True(cookie.Expires < TimeProvider.System.GetUtcNow());
    }

    [Theory]
    [Trait("Failure", "C12")]
    [InlineData("GET", "public, max-age=60", "public, max-age=60", false)]
    [InlineData("GET", "s-maxage=60", "s-maxage=60", false)]
    [InlineData("GET", "max-age=60, private", "max-age=60, private", true)]
    [InlineData("POST", "public, max-age=60", "max-age=60, private", true)]
    public async Task Cacheable_responses_carry_no_token_and_responses_to_writes_are_made_private(string method, string said, string sent, bool carries)
    {
        await using var app = await TestApplication.StartAsync(app =>
        {
            app.UseReplicaRouter();
            app.MapMethods("/cached", [method], (HttpContext context, DatabaseRouter router) =>
            {
                router.GetClient(method == "POST" ? DatabaseOperation.Write : DatabaseOperation.Read);
                context.Response.Headers.CacheControl = said;
                return "a page";
            });
        });
        using var client = app.Client();
        client.DefaultRequestHeaders.Add("Cookie", $"{Cookie}.a=nonsense");
        using var response = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), "/cached"), Ct);
        Assert.Equal(carries, response.Headers.Contains(HeaderNames.SetCookie));
        Assert.Equal(carries, response.Headers.Contains(Header));
        Assert.Equal(sent, response.Headers.CacheControl!.ToString());
    }

    [Fact]
    public async Task The_session_covers_the_request_and_nothing_before_or_after_it()
    {
        var isOver = new TaskCompletionSource();
        var straggler = Task.FromResult<DatabaseSession?>(null);
        List<bool> seen = [];
        await using var app = await TestApplication.StartAsync(app =>
        {
            var router = app.Services.GetRequiredService<DatabaseRouter>();
            app.Use(async (context, next) =>
            {
                var serving = next(context);
                seen.Add(router.CurrentSession is null);
                await serving;
                seen.Add(router.CurrentSession is null);
            });
            app.UseReplicaRouter();
            app.MapGet("/start", async () =>
            {
                straggler = Task.Run(async () =>
                {
                    await isOver.Task;
                    // A client can have the response before the server has ended the request.
                    var start = TimeProvider.System.GetTimestamp();
                    while (router.CurrentSession is not null && TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(10)) await Task.Delay(1, Ct);
                    return router.CurrentSession;
                });
                await Task.Yield();
                seen.Add(router.CurrentSession is not null);
            });
        });
        using var client = app.Client();
        using (await client.GetAsync("/start", Ct)) { }
        isOver.SetResult();
        Assert.Null(await straggler);
        Assert.Equal([true, true, true], seen);
    }

    [Fact]
    public async Task The_application_chooses_the_names_and_carriers_of_the_token()
    {
        await using var app = await TestApplication.StartAsync(TestApplication.MapWork, services => services.AddReplicaRouterWeb(options =>
        {
            options.CookieName = null;
            options.HeaderName = "X-Seen";
        }));
        using var client = app.Client();
        using var response = await client.PostAsync("/work", null, Ct);
        Assert.False(response.Headers.Contains(HeaderNames.SetCookie));
        Assert.True(response.Headers.Contains("X-Seen"));
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, false)]
    [InlineData(0.999, false)]
    [InlineData(1, true)]
    [InlineData(86400, true)]
    [InlineData(86401, false)]
    public async Task A_lifetime_out_of_range_prevents_the_start_and_the_error_states_the_range(double seconds, bool isInRange)
    {
        var starting = async () =>
        {
            await using var app = await TestApplication.StartAsync(_ => { }, services => services.AddReplicaRouterWeb(options => options.TokenLifetime = TimeSpan.FromSeconds(seconds)));
        };
        var error = await Record.ExceptionAsync(starting);
        if (isInRange) Assert.Null(error);
        else Assert.Contains("Lifetime must be between 00:00:01 and 1.00:00:00", Assert.IsType<Microsoft.Extensions.Options.OptionsValidationException>(error).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_its_services_the_error_says_what_to_register()
    {
        var builder = WebApplication.CreateSlimBuilder();
        await using var app = builder.Build();
        Assert.Contains("AddReplicaRouter", Assert.Throws<InvalidOperationException>(() => app.UseReplicaRouter()).Message, StringComparison.Ordinal);
    }

    internal static void SharedKeys(IServiceCollection services) => services.AddSingleton<IDataProtectionProvider>(Keys);

    private static readonly EphemeralDataProtectionProvider Keys = new();

    private static string CookieOf(HttpResponseMessage response) =>
        response.Headers.GetValues(HeaderNames.SetCookie).Select(cookie => SetCookieHeaderValue.Parse(cookie).Value.ToString()).Single(value => value.Length > 0);

    private static async Task<string> TokenAsync(TestApplication app)
    {
        using var client = app.Client();
        using var response = await client.PostAsync("/work", null, Ct);
        return response.Headers.GetValues(Header).Single();
    }

    private static async Task<string> BadValueAsync(TestApplication app, string kind)
    {
        var good = await TokenAsync(app);
        switch (kind)
        {
            case "tampered":
                var middle = good.Length / 2;
                return good[..middle] + (good[middle] == 'A' ? 'B' : 'A') + good[(middle + 1)..];
            case "foreign keys":
                await using (var other = await TestApplication.StartAsync(TestApplication.MapWork, services => services.AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider())))
                {
                    return await TokenAsync(other);
                }

            case "expired":
                var protector = app.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("ReplicaRouter.Session").ToTimeLimitedDataProtector();
                return protector.Protect("a token", TimeSpan.FromSeconds(-1));
            case "oversized":
                return good + new string('A', 10_000);
            case "unsealed":
                using (var session = app.Router.CreateSession())
                {
                    app.Router.GetClient(DatabaseOperation.Write, new OperationOptions { Session = session });
                    return await session.GetTokenAsync(Ct);
                }

            default:
                return kind;
        }
    }
}
