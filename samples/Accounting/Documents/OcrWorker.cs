using Npgsql;
using ReplicaRouter;

namespace Accounting.Documents;

/// <summary>Recognizes the text of waiting documents while the application runs.</summary>
public sealed class OcrWorker(OcrQueue queue, DatabaseRouter router, TimeProvider time, ILogger<OcrWorker> logger) : BackgroundService
{
    private const int BatchSize = 10;
    private static readonly TimeSpan s_idleTime = TimeSpan.FromSeconds(2);

    /// <summary>Finds waiting documents on the background replica, claims them on the primary, and writes the results there.</summary>
    /// <returns>The number of completed documents.</returns>
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

    /// <summary>A placeholder for real text recognition.</summary>
    public static string RecogniseText(Document document) => $"{document.Category}: {document.Name}";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Without a session, a lagging replica would return documents that this worker has already completed and fill the batch with them.
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
                // The claims expire and the documents are claimed again, so waiting loses nothing.
                logger.LogWarning("The OCR queue could not be processed: {Reason}", e.Message);
                await Task.Delay(s_idleTime, time, stoppingToken);
            }
        }
    }
}
