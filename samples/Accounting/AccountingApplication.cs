using Accounting.Clients;
using Accounting.Database;
using Accounting.Documents;
using Accounting.Hosting;
using Accounting.Invoices;
using Accounting.Jobs;
using Accounting.Migrations;
using Accounting.Operations;
using Accounting.Organizations;
using Accounting.Reports;
using Accounting.Seeding;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ReplicaRouter;

namespace Accounting;

/// <summary>The application in three steps: its services, its endpoints, its database.</summary>
public static class AccountingApplication
{
    /// <summary>Longest wait for the servers at startup.</summary>
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Policy for seeing the servers' error messages. Here it admits everyone in development; a real application requires a role.</summary>
    private const string Operators = "operators";

    /// <summary>Registers the services. They expect a <see cref="DatabaseRouter"/>.</summary>
    public static IHostApplicationBuilder AddAccounting(this IHostApplicationBuilder builder)
    {
        // Logs only warnings and the router's transitions, not every statement and request.
        // During startup the router logs nothing: the exception that stops the start carries its message.
        var start = new StartState();
        builder.Logging
            .AddFilter("Npgsql", LogLevel.Warning)
            .AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning)
            .AddFilter("Microsoft.AspNetCore", LogLevel.Warning)
            .AddFilter("ReplicaRouter", level => level >= LogLevel.Information && start.IsReady);

        var services = builder.Services;
        services.AddReplicaRouterWeb();
        services.AddRoutedDbContextPool<AccountingDb>(
            npgsql => npgsql.EnableRetryOnFailure(),
            (_, database) => database.UseSnakeCaseNamingConvention().AddInterceptors(new ServedByInterceptor()));
        services.AddAuthorizationBuilder().AddPolicy(Operators, policy => policy.RequireAssertion(_ => builder.Environment.IsDevelopment()));
        services.AddTelemetry();
        services.AddSingleton(start);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<OrganizationService>();
        services.AddSingleton<ClientService>();
        services.AddSingleton<InvoiceService>();
        services.AddSingleton<PaymentService>();
        services.AddSingleton<DocumentService>();
        services.AddSingleton<OcrQueue>();
        services.AddSingleton<RevenueReports>();
        services.AddSingleton<JobService>();
        services.AddSingleton<Migration>();
        services.AddSingleton<Seed>();
        services.AddHostedService<OcrWorker>();
        services.AddValidation();
        services.AddProblemDetails();
        services.AddExceptionHandler<DatabaseExceptionHandler>();
        return builder;
    }

    /// <summary>Maps the endpoints.</summary>
    public static void MapAccounting(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        if (app.Environment.IsDevelopment()) app.UseServedByHeader();
        app.UseReplicaRouter();
        app.MapGet("/", () => Results.Redirect("/api/health")).ExcludeFromDescription();
        app.MapReplicaRouterHealth(Operators);
        app.MapPrometheusScrapingEndpoint();
        app.MapOrganizations();
        app.MapClients();
        app.MapInvoices();
        app.MapDocuments();
        app.MapReports();
        app.MapJobs();
        app.MapOperations();
    }

    /// <summary>Waits until the servers are known, then creates the schema and fills an empty database.</summary>
    /// <exception cref="DatabaseRouterConfigurationException">The configuration is invalid; the message says what to change.</exception>
    /// <exception cref="OperationCanceledException">No server accepts writes in time.</exception>
    public static async Task PrepareDatabaseAsync(this IHost app, CancellationToken cancellationToken = default)
    {
        var services = app.Services;
        var router = services.GetRequiredService<DatabaseRouter>();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_startTimeout);
        await router.WaitUntilReadyAsync(limit.Token);
        await services.GetRequiredService<Migration>().RunAsync(cancellationToken);
        await services.GetRequiredService<Seed>().RunAsync(cancellationToken);

        services.GetRequiredService<StartState>().IsReady = true;
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("Accounting");
        foreach (var (name, host) in router.GetHealthStatus().Where(host => !host.Value.IsHealthy))
            logger.LogWarning("Started without host {Host}: {Error}", name, host.Error);
    }
}
