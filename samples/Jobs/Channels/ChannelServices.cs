using Jobs.Orders;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Jobs.Channels;

public static class ChannelServices
{
    public static void AddChannelJobs(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ReceiptChannel>();
        builder.Services.AddSingleton<IReceiptQueue>(services => services.GetRequiredService<ReceiptChannel>());
        builder.Services.AddHostedService<ReceiptWorker>();
    }
}
