using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.AspNetCore.Tests;

/// <summary>What <c>dotnet new webapi</c> makes, on free ports, with a router over a server that is not there.</summary>
internal sealed class StockApplication : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StockApplication(WebApplication app) => _app = app;

    public HttpClient Client { get; } = new(new HttpClientHandler { AllowAutoRedirect = false });

    /// <summary>In the order in which they were asked for.</summary>
    public IReadOnlyList<int> Ports => [.. _app.Urls.Select(url => new Uri(url).Port)];

    public static async Task<StockApplication> StartAsync(Action<WebApplicationBuilder> register, Action<WebApplication> map)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        // By its class: in this namespace the core's form, for any kind of host, would come first.
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
