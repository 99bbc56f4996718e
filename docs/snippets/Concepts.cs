namespace Snippets.Concepts;

internal static class Concepts
{
    public static async Task NamedRouteAsync(DatabaseRouter router, CancellationToken ct)
    {
        #region
        await using var connection = await router.OpenConnectionAsync("export", ct);
        #endregion
    }

    public static void Roles(DatabaseRouter router)
    {
        #region
        foreach (var (name, host) in router.GetHealthStatus()) Console.WriteLine($"{name} is a {host.Role} on timeline {host.Timeline}");
        #endregion
    }

    public static void Lag()
    {
        #region
        var options = new OperationOptions { MaxLag = TimeSpan.FromSeconds(2.5) };
        #endregion
    }

    public static async Task RejectionsAsync(DatabaseRouter router, ILogger logger, CancellationToken ct)
    {
        #region
        try
        {
            await router.OpenConnectionAsync(DatabaseOperation.Read, ct);
        }
        catch (NoEligibleHostException refused)
        {
            foreach (var rejection in refused.Rejections) logger.LogError("{Host}: {Reason}", rejection.Host, rejection.Reason);
            throw;
        }
        #endregion
    }

    public static void Session(DatabaseRouter router)
    {
        #region
        using var session = router.BeginSession();
        #endregion
    }

    public static void LostHistory(DatabaseSession session)
    {
        #region
        if (session.HasLostHistory)
        {
            // The primary failed before all was replicated. Look whether the last write is there before you build on it.
        }
        #endregion
    }

    public static void DataSource(IHostApplicationBuilder builder)
    {
        #region
        builder.AddReplicaRouter(options => options.ConfigureDataSource = source => source.EnableDynamicJson());
        #endregion
    }

    public static void Worker(string[] args)
    {
        #region
        var builder = Host.CreateApplicationBuilder(args);
        builder.AddReplicaRouter();
        builder.Services.AddHostedService<Importer>();
        builder.Build().Run();
        #endregion
    }

    private sealed class Importer(DatabaseRouter router) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
            router.ExecuteAsync(DatabaseOperation.Write, (_, _) => Task.CompletedTask, stoppingToken);
    }
}
