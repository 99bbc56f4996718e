using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using ReplicaRouter.Dashboard;

namespace ReplicaRouter.AspNetCore.Tests.Dashboard;

public class DashboardStreamTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Failure", "C12")]
    public async Task The_number_of_streams_is_limited_and_a_page_without_one_can_still_poll()
    {
        await using var app = await DashboardApplication.StartAsync();
        var streams = new List<Stream>();
        for (var i = 0; i < Pages.Most; i++)
        {
            streams.Add(await Stream.OpenAsync(app));
            await streams[^1].NextAsync("welcome");
        }

        using (var refused = await app.SendAsync(HttpMethod.Get, "events")) Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        using (var snapshot = await app.SendAsync(HttpMethod.Get, "snapshot"))
        {
            Assert.Equal("no-store", snapshot.Headers.CacheControl!.ToString());
            Assert.Equal("primary", (await snapshot.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("hosts")[0].GetString());
        }

        streams.ForEach(stream => stream.Dispose());
        // The server takes a while to notice that a browser is gone.
        var status = HttpStatusCode.ServiceUnavailable;
        for (var i = 0; i < 100 && status == HttpStatusCode.ServiceUnavailable; i++)
        {
            await Task.Delay(100, Ct);
            using var response = await app.SendAsync(HttpMethod.Get, "events");
            status = response.StatusCode;
        }

        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Fact]
    [Trait("Failure", "C12")]
    public async Task Streams_work_where_all_responses_are_cached_compressed_and_timed_out()
    {
        await using var app = await DashboardApplication.StartAsync(
            OperatedDashboard.Configure,
            services: services =>
            {
                services.AddOutputCache(options => options.AddBasePolicy(policy => policy.AddPolicy<CacheEverything>(), excludeDefaultPolicy: true));
                services.AddResponseCompression(options => (options.EnableForHttps, options.MimeTypes) = (true, ["text/event-stream", "text/html", "application/json"]));
                services.AddResponseCaching();
                services.AddRequestTimeouts(options => options.DefaultPolicy = new RequestTimeoutPolicy { Timeout = TimeSpan.FromMilliseconds(500) });
            },
            pipeline: app =>
            {
                app.UseRouting();
                app.UseRequestTimeouts();
                app.UseResponseCompression();
                app.UseResponseCaching();
                app.UseOutputCache();
            });
        using var first = await Stream.OpenAsync(app, "operator", "gzip, br");
        using var second = await Stream.OpenAsync(app, encoding: "gzip, br");
        foreach (var stream in new[] { first, second })
        {
            await stream.NextAsync("welcome");
            await stream.NextAsync("update");
            await stream.NextAsync("update");
        }

        // No cache gives the operators' page to others.
        Assert.NotNull(await app.TokenAsync("operator"));
        Assert.Null(await app.TokenAsync(null));
    }

    [Fact]
    [Trait("Failure", "C9")]
    public async Task Only_operators_see_error_texts()
    {
        await using var app = await DashboardApplication.StartAsync(OperatedDashboard.Configure);
        await Assert.ThrowsAnyAsync<Exception>(() => app.Router.ExecuteAsync(DatabaseOperation.Read, (_, _) => Task.FromResult(1), Ct));
        // The dashboard samples once a second.
        for (var i = 0; i < 100 && !(await FirstAsync(app, "snapshot", "guest")).Contains("no host could serve", StringComparison.Ordinal); i++) await Task.Delay(100, Ct);
        foreach (var path in new[] { "events", "snapshot" })
        {
            Assert.Contains("127.0.0.1:1", await FirstAsync(app, path, "operator"), StringComparison.Ordinal);
            var shown = await FirstAsync(app, path, "guest");
            Assert.DoesNotContain("127.0.0.1:1", shown, StringComparison.Ordinal);
            Assert.Contains("no host could serve", shown, StringComparison.Ordinal);
            Assert.Contains("\"state\":\"Down\"", shown, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_page_shows_its_process_and_who_gave_which_order()
    {
        await using var app = await DashboardApplication.StartAsync(OperatedDashboard.Configure);
        using (var drained = await app.SendAsync(HttpMethod.Post, "hosts/primary/drain", "operator", await app.TokenAsync("operator"))) Assert.Equal(HttpStatusCode.Accepted, drained.StatusCode);
        using var stream = await Stream.OpenAsync(app);
        using var welcome = await stream.NextAsync("welcome");
        var instance = welcome.RootElement.GetProperty("instance");
        Assert.Equal((Environment.MachineName, Environment.ProcessId), (instance.GetProperty("machine").GetString(), instance.GetProperty("processId").GetInt32()));
        Assert.NotEqual("", instance.GetProperty("version").GetString());
        Assert.Equal("operator", await NextUpdateAsync(update => update.GetProperty("status").GetProperty("hosts")[0].GetProperty("drainedBy").GetString()));
        await app.Router.RestoreAsync("primary", Ct);
        Assert.Equal("ordered by the application, in this process only", await NextUpdateAsync(update => update.GetProperty("events").EnumerateArray()
            .Where(happened => happened.GetProperty("text").GetString() == "is restored").Select(happened => happened.GetProperty("reason").GetString()).FirstOrDefault()));

        // A change arrives with one of the next updates.
        async Task<string?> NextUpdateAsync(Func<JsonElement, string?> find)
        {
            for (var i = 0; i < 10; i++)
            {
                using var update = await stream.NextAsync("update");
                if (find(update.RootElement) is { } found) return found;
            }

            return null;
        }
    }

    [Fact]
    public async Task Every_state_has_a_section_in_the_guide()
    {
        await using var app = await DashboardApplication.StartAsync();
        using var response = await app.SendAsync(HttpMethod.Get, "guide");
        var guide = await response.Content.ReadAsStringAsync(Ct);
        Assert.All(Enum.GetNames<HostState>().Append("Drained"), state => Assert.Contains($"<section id=\"{state}\">", guide, StringComparison.Ordinal));
    }

    private static async Task<string> FirstAsync(DashboardApplication app, string path, string role)
    {
        using var response = await app.SendAsync(HttpMethod.Get, path, role);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Ct));
        if (path == "events") await reader.ReadLineAsync(Ct);
        return (await reader.ReadLineAsync(Ct))!;
    }

    private sealed class CacheEverything : IOutputCachePolicy
    {
        public ValueTask CacheRequestAsync(OutputCacheContext context, CancellationToken cancellation)
        {
            context.EnableOutputCaching = context.AllowCacheLookup = context.AllowCacheStorage = context.AllowLocking = true;
            context.ResponseExpirationTimeSpan = TimeSpan.FromMinutes(1);
            return ValueTask.CompletedTask;
        }

        public ValueTask ServeFromCacheAsync(OutputCacheContext context, CancellationToken cancellation) => ValueTask.CompletedTask;

        public ValueTask ServeResponseAsync(OutputCacheContext context, CancellationToken cancellation) => ValueTask.CompletedTask;
    }

    private sealed class Stream(HttpResponseMessage response, StreamReader reader) : IDisposable
    {
        public static async Task<Stream> OpenAsync(DashboardApplication app, string? role = null, string encoding = "identity")
        {
            using var soon = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            soon.CancelAfter(TimeSpan.FromSeconds(30));
            var response = await app.SendAsync(HttpMethod.Get, "events", role, null, ("Accept-Encoding", encoding)).WaitAsync(soon.Token);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return new Stream(response, new StreamReader(await response.Content.ReadAsStreamAsync(Ct)));
        }

        public async Task<JsonDocument> NextAsync(string kind)
        {
            string? line;
            while ((line = await reader.ReadLineAsync(Ct).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Ct)) != $"event: {kind}") Assert.NotNull(line);
            var data = (await reader.ReadLineAsync(Ct))!["data: ".Length..];
            return JsonDocument.Parse(data.StartsWith('{') ? data : "{}");
        }

        public void Dispose()
        {
            reader.Dispose();
            response.Dispose();
        }
    }
}
