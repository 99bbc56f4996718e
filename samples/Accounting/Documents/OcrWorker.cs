using Npgsql;
using ReplicaRouter;

namespace Accounting.Documents;

/// <summary>Recognises the text of waiting documents, for as long as the application runs.</summary>
public sealed class OcrWorker(OcrQueue queue, DatabaseRouter router, TimeProvider time, ILogger<OcrWorker> logger) : BackgroundService
{
    private const int BatchSize = 10;
    private static readonly TimeSpan s_idleTime = TimeSpan.FromSeconds(2);

    /// <summary>Reads what waits from the background replica, claims it on the primary, and writes the results there.</summary>
    /// <returns>How many documents were completed.</returns>
    public async Task<int> ProcessQueueAsync(CancellationToken cancellationToken)
    {
        var pending = await queue.FindPendingAsync(BatchSize, cancellationToken);
        if (pending.Count == 0) return 0;

        var completed = 0;
        foreach (var document in await queue.ClaimAsync(pending, cancellationToken))
        {
            if (await queue.CompleteAsync(document, RecogniseText(document), cancellationToken) is not null) completed++;
        }

        return completed;
    }

    /// <summary>Stands for the real recognition.</summary>
    public static string RecogniseText(Document document) => $"{document.Category}: {document.Name}";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Or a replica would go on to show it what it has completed, and the batch would be full of that.
        using var session = router.BeginSession();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var completed = await ProcessQueueAsync(stoppingToken);
                if (completed == 0) await Task.Delay(s_idleTime, time, stoppingToken);
            }
            catch (NpgsqlException e)
            {
                // What was claimed is claimed again when its time is over; nothing is lost by waiting.
                logger.LogWarning("The OCR queue could not be processed: {Reason}", e.Message);
                await Task.Delay(s_idleTime, time, stoppingToken);
            }
        }
    }
}
