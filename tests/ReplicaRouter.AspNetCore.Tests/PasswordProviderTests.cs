using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ReplicaRouter.Testing;

namespace ReplicaRouter.AspNetCore.Tests;

public class PasswordProviderTests
{
    private const string Secret = "hvs.vault-token";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Failure", "C9")]
    public async Task Only_the_type_of_a_password_provider_s_exception_is_shown()
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [] }, Ct);
        var logs = new ConcurrentQueue<string>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(new EverythingLogged(logs));
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        ReplicaRouterApplicationBuilderExtensions.AddReplicaRouter(builder, options =>
        {
            options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = cluster.Primary.Url };
            options.PasswordProvider = (_, _) => throw new InvalidOperationException($"GET https://vault/v1/secret?token={Secret}: 403", new IOException(Secret));
        });
        builder.Services.AddAuthorizationBuilder().AddPolicy("everybody", policy => policy.RequireAssertion(_ => true));
        builder.Services.AddAntiforgery();
        await using var app = builder.Build();
        app.MapReplicaRouterHealth("everybody");
        app.MapReplicaRouterDashboard("/replica-router", options => options.OperatorPolicy = "everybody");
        await app.StartAsync(Ct);

        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        var router = app.Services.GetRequiredService<DatabaseRouter>();
        var error = await Assert.ThrowsAnyAsync<Exception>(() => router.ExecuteAsync(DatabaseOperation.Read, (_, _) => Task.FromResult(1), Ct));
        using var health = await client.GetAsync(new Uri("/api/health", UriKind.Relative), Ct);
        using var events = await client.GetAsync(new Uri("/replica-router/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Ct);
        using var reader = new StreamReader(await events.Content.ReadAsStreamAsync(Ct));
        await reader.ReadLineAsync(Ct);
        foreach (var shown in new[] { error.ToString(), await health.Content.ReadAsStringAsync(Ct), (await reader.ReadLineAsync(Ct))! })
        {
            Assert.DoesNotContain(Secret, shown, StringComparison.Ordinal);
            Assert.Contains(nameof(InvalidOperationException), shown, StringComparison.Ordinal);
        }

        Assert.Contains(logs, line => line.Contains("PasswordProvider failed", StringComparison.Ordinal));
        Assert.DoesNotContain(logs, line => line.Contains(Secret, StringComparison.Ordinal));
    }

    private sealed class EverythingLogged(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Dispose() { }

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{formatter(state, exception)} {exception}");
    }
}
