using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using ReplicaRouter.Testing;
using ReplicaRouter.Tests;

namespace ReplicaRouter.BrowserTests;

/// <summary>Four servers, an application with the dashboard, a little traffic, and a network between browser and application that a test can cut.</summary>
public sealed class Stage : IAsyncLifetime
{
    /// <summary>The header with the role of the caller, which the application trusts.</summary>
    public const string RoleHeader = "X-Role";
    public const string Operator = "operator";

    private readonly CancellationTokenSource _stop = new();
    private WebApplication _app = null!;
    private Task _traffic = Task.CompletedTask;

    internal RecordingLogger Log { get; } = new();
    public LocalCluster Cluster { get; private set; } = null!;
    public FaultProxy Network { get; private set; } = null!;
    public DatabaseRouter Router => _app.Services.GetRequiredService<DatabaseRouter>();
    public Uri Address => new($"http://127.0.0.1:{Network.Port}/base/replica-router");

    public async ValueTask InitializeAsync()
    {
        Cluster = await LocalCluster.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using (var connection = new NpgsqlConnection(Cluster.Primary.ConnectionString))
        {
            await connection.OpenAsync();
            await new NpgsqlCommand("CREATE TABLE note (text text)", connection).ExecuteNonQueryAsync();
        }

        await Cluster.WaitForReplicationAsync();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<ILoggerFactory>(Log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddReplicaRouter(options =>
        {
            foreach (var server in Cluster.Servers) options.Hosts[server.Name] = new DatabaseHostOptions { ConnectionString = server.Url };
        });
        builder.Services.AddAuthorizationBuilder().AddPolicy("operators", policy => policy.RequireRole(Operator));
        builder.Services.AddAntiforgery();
        _app = builder.Build();
        _app.UsePathBase("/base");
        _app.Use((context, next) =>
        {
            if (context.Request.Headers[RoleHeader].FirstOrDefault() is { } role)
            {
                context.User = new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, role), new(ClaimTypes.Name, role), new(ClaimTypes.Role, role)], "test"));
            }

            return next(context);
        });
        _app.UseRouting();
        _app.MapReplicaRouterDashboard("/replica-router", options => options.OperatorPolicy = "operators");
        await _app.StartAsync();
        Network = FaultProxy.Start("127.0.0.1", new Uri(_app.Urls.First()).Port);
        _traffic = Task.WhenAll(Work(DatabaseOperation.Read), Work(DatabaseOperation.Analytics), Work(DatabaseOperation.Background), Work(DatabaseOperation.Write));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _traffic;
        await Network.DisposeAsync();
        await _app.DisposeAsync();
        await Cluster.DisposeAsync();
        _stop.Dispose();
    }

    private Task Work(DatabaseOperation operation) => Task.Run(async () =>
    {
        var sql = operation == DatabaseOperation.Write ? "INSERT INTO note VALUES ('x')" : "SELECT count(*) FROM note";
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Router.ExecuteAsync(operation, async (connection, ct) =>
                {
                    await using var command = new NpgsqlCommand(sql, connection);
                    await command.ExecuteNonQueryAsync(ct);
                }, _stop.Token);
                await Task.Delay(20, _stop.Token);
            }
            catch (Exception e) when (e is NpgsqlException or OperationCanceledException or TimeoutException or TransactionOutcomeUnknownException)
            {
                // The tests stop servers.
                await Task.Delay(20, CancellationToken.None);
            }
        }
    });
}
