using Jobs.Channels;
using Jobs.Hangfire;
using Jobs.Orders;
using Jobs.Quartz;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ReplicaRouter;

namespace Jobs;

/// <summary>An application that takes orders and creates their receipts in jobs.</summary>
public static class JobsApplication
{
    /// <param name="system">The library that runs the jobs.</param>
    /// <param name="variables">The router's variables, such as <c>DATABASE_URL</c>.</param>
    public static IHost Build(JobSystem system, IReadOnlyDictionary<string, string> variables)
    {
        // Ignores the environment: a DATABASE_URL or a .env file could point to real servers.
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddSimpleConsole().SetMinimumLevel(LogLevel.Error);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(variables.Select(v => KeyValuePair.Create(v.Key, (string?)v.Value))).Build();
        // Twenty workers, their storage and the producers share the connections to the primary.
        builder.Services.AddReplicaRouter(configuration, options => options.Routes["write"] = new DatabaseRouteOptions { MaxPoolSize = 60 });
        builder.Services.AddSingleton<OrderService>();
        builder.Services.AddSingleton<ReceiptService>();
        switch (system)
        {
            case JobSystem.Channels: builder.AddChannelJobs(); break;
            case JobSystem.Hangfire: builder.AddHangfireJobs(); break;
            case JobSystem.Quartz: builder.AddQuartzJobs(); break;
            default: throw new ArgumentOutOfRangeException(nameof(system), system, null);
        }

        return builder.Build();
    }
}
