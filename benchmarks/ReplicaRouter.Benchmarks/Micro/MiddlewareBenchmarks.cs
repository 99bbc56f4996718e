using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter.Benchmarks.Micro;

/// <summary>The cost of UseReplicaRouter for a request without a database call; the bare pipeline is the baseline.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class MiddlewareBenchmarks
{
    private ServiceProvider _services = null!;
    private RequestDelegate _bare = null!;
    private RequestDelegate _routed = null!;
    private DefaultHttpContext _context = null!;

    /// <summary>Whether the browser sends the cookie of an earlier request.</summary>
    [Params(false, true)]
    public bool HasCookie { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var options = new DatabaseRouterOptions();
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=10.0.0.1" };
        _services = new ServiceCollection()
            .AddLogging()
            .AddSingleton<DatabaseRouter>(new ClusterRouter(RouterConfigurationBuilder.Build(options), createProbe: host => new StillProbe(host)))
            .AddReplicaRouterWeb()
            .BuildServiceProvider();
        static Task Endpoint(HttpContext context) => Task.CompletedTask;
        _bare = Build(Endpoint, isRouted: false);
        _routed = Build(Endpoint, isRouted: true);
        _context = new DefaultHttpContext { RequestServices = _services };
        if (HasCookie) _context.Request.Headers.Cookie = $"replica-router.a={_services.GetRequiredService<WebRouters>().Of(null).Seal.Close(new string('A', 48))}";
    }

    [GlobalCleanup]
    public void Cleanup() => _services.Dispose();

    [Benchmark(Baseline = true)]
    public Task Bare() => _bare(_context);

    [Benchmark]
    public Task Routed() => _routed(_context);

    private RequestDelegate Build(RequestDelegate endpoint, bool isRouted)
    {
        var app = new ApplicationBuilder(_services);
        if (isRouted) app.UseReplicaRouter();
        app.Run(endpoint);
        return app.Build();
    }
}
