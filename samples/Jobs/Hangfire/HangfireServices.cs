using Hangfire;
using Hangfire.PostgreSql;
using Jobs.Orders;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ReplicaRouter;

namespace Jobs.Hangfire;

public static class HangfireServices
{
    public static void AddHangfireJobs(this IHostApplicationBuilder builder)
    {
        #region hangfire-setup
        builder.Services.AddHangfire((services, hangfire) =>
        {
            var router = services.GetRequiredService<DatabaseRouter>();
            var options = new PostgreSqlStorageOptions
            {
                // A job whose worker lost its connection runs again after this time.
                InvisibilityTimeout = TimeSpan.FromSeconds(30),
                UseSlidingInvisibilityTimeout = true,
                // A lock left behind by a failed primary blocks retries for at most this long. The default is 10 minutes.
                DistributedLockTimeout = TimeSpan.FromSeconds(30),
            };
            hangfire
                .UsePostgreSqlStorage(storage => storage.UseConnectionFactory(new RoutedConnectionFactory(router)), options)
                .UseFilter(new SessionFilter(router));
        });
        builder.Services.AddHangfireServer(options =>
        {
            options.WorkerCount = 20;
            options.SchedulePollingInterval = TimeSpan.FromSeconds(1);      // how often it looks for due retries
        });
        #endregion
        builder.Services.AddSingleton<ReceiptJob>();
        builder.Services.AddSingleton<IReceiptQueue, HangfireReceiptQueue>();
    }
}
