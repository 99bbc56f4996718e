using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ReplicaRouter.Tests;

namespace ReplicaRouter.AspNetCore.Tests;

/// <summary>An in-memory application, with a router over fake hosts that are all at one WAL position.</summary>
internal sealed class TestApplication : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestApplication(WebApplication app) => _app = app;

    public DatabaseRouter Router => _app.Services.GetRequiredService<DatabaseRouter>();

    public IServiceProvider Services => _app.Services;

    public ConcurrentQueue<string> Logs { get; private init; } = [];

    public static async Task<TestApplication> StartAsync(Action<WebApplication> map, Action<IServiceCollection>? configure = null, ulong lsn = 100)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        var logs = new ConcurrentQueue<string>();
        builder.Logging.ClearProviders().AddProvider(new LogList(logs));
        builder.Services.AddSingleton<DatabaseRouter>(services => new ClusterRouter(
            RouterConfigurationBuilder.Build(TestTopology.OptionsFor("primary", "analytics", "background")),
            services.GetRequiredService<ILoggerFactory>(),
            createProbe: host => FakeProbe.Of((host.IsConfiguredPrimary ? TestTopology.Primary(lsn) : TestTopology.Replica(lsn)) with { StartedAt = host.Index })));
        builder.Services.AddReplicaRouterWeb();
        configure?.Invoke(builder.Services);
        var app = builder.Build();
        try
        {
            map(app);
            await app.Services.GetRequiredService<DatabaseRouter>().WaitUntilReadyAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            await app.StartAsync(TestContext.Current.CancellationToken);
            return new TestApplication(app) { Logs = logs };
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Maps endpoints that use their request's session, and one that does not.</summary>
    public static void MapWork(WebApplication app)
    {
        app.UseReplicaRouter();
        app.MapPost("/work", (DatabaseRouter router) => Host(router, DatabaseOperation.Write));
        app.MapGet("/work", (DatabaseRouter router) => Host(router, DatabaseOperation.Read));
        app.MapGet("/idle", () => "nothing done");
        app.MapGet("/position", (HttpContext context, DatabaseRouter router) => PositionOf(context, router));
    }

    public HttpClient Client() => _app.GetTestClient();

    public Task<HttpContext> SendAsync(Action<HttpContext> configure) => _app.GetTestServer().SendAsync(configure, TestContext.Current.CancellationToken);

    public HttpMessageHandler Handler() => _app.GetTestServer().CreateHandler();

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static string Host(DatabaseRouter router, DatabaseRoute route) => new Npgsql.NpgsqlConnectionStringBuilder(router.GetClient(route).ConnectionString).Host!;

    /// <summary>Returns the position that the request's session must see, or "none".</summary>
    private static async Task<string> PositionOf(HttpContext context, DatabaseRouter router)
    {
        var token = await router.CurrentSession!.GetTokenAsync(context.RequestAborted);
        return SessionToken.TryDecode(token, [], out var decoded) ? decoded.Position.Lsn.ToString(System.Globalization.CultureInfo.InvariantCulture) : "none";
    }

    private sealed class LogList(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Dispose() { }

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{eventId.Id} {formatter(state, exception)}");
    }
}
