using Jobs.Orders;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Quartz;
using ReplicaRouter;

namespace Jobs.Quartz;

public static class QuartzServices
{
    public static void AddQuartzJobs(this IHostApplicationBuilder builder)
    {
        #region quartz-setup
        builder.Services.AddQuartz(quartz =>
        {
            quartz.UsePersistentStore(store => store
                .UsePostgres(source => source.DataSourceServiceKey = DatabaseOperation.Write)
                .ConfigureStore(options => options.StoreJobDataAsStrings = true)
                .ProvisionSchema());
            quartz.UseDefaultThreadPool(maxConcurrency: 20);
            quartz.AddJobMiddleware<SessionMiddleware>();
            quartz.AddJob<ReceiptJob>(job => job.WithIdentity(ReceiptJob.Key).StoreDurably());
        });
        builder.Services.AddQuartzHostedService(options => options.WaitForJobsToComplete = true);
        #endregion
        builder.Services.AddSingleton<IReceiptQueue, QuartzReceiptQueue>();
    }
}
