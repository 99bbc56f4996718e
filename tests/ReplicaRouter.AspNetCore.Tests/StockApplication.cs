using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.AspNetCore.Tests;

/// <summary>An application like that of <c>dotnet new webapi</c>, on free ports, with a router over an unreachable server.</summary>
internal sealed class StockApplication : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StockApplication(WebApplication app) => _app = app;

    public HttpClient Client { get; } = new(new HttpClientHandler { AllowAutoRedirect = false });

    /// <summary>The ports, in the order in which they were requested.</summary>
    public IReadOnlyList<int> Ports => [.. _app.Urls.Select(url => new Uri(url).Port)];

    public static async Task<StockApplication> StartAsync(Action<WebApplicationBuilder> register, Action<WebApplication> map)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        // Called by its class: in this namespace the core's overload, for any kind of host, would take precedence.
        ReplicaRouterApplicationBuilderExtensions.AddReplicaRouter(builder, options => options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=127.0.0.1;Port=1;Password=hunter2" });
        register(builder);
        var app = builder.Build();
        map(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        var stock = new StockApplication(app);
        stock.Client.BaseAddress = new Uri(app.Urls.First());
        return stock;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
