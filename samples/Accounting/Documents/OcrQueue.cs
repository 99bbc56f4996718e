using Accounting.Database;
using ReplicaRouter;

namespace Accounting.Documents;

/// <summary>The documents whose text is still to be recognized. A replica finds them; the primary claims them.</summary>
public sealed class OcrQueue(DatabaseRouter router)
{
    // A dead worker's claim expires after this time.
    private const string IsWaiting =
        "(ocr_status = 'pending' OR (ocr_status = 'processing' AND ocr_claimed_at < now() - interval '5 minutes')) AND deleted_at IS NULL";

    /// <summary>Returns the oldest waiting documents as the background replica sees them. Some can already be claimed.</summary>
    public Task<IReadOnlyList<Document>> FindPendingAsync(int limit, CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Background,
            (connection, token) => connection.QueryAsync<Document>(
                $"SELECT {Document.Columns} FROM documents WHERE {IsWaiting} ORDER BY created_at, id LIMIT @limit",
                new { limit }, token),
            cancellationToken);

    /// <summary>Claims the documents that are still waiting. The primary decides, so no document is processed twice.</summary>
    public Task<IReadOnlyList<Document>> ClaimAsync(IEnumerable<Document> candidates, CancellationToken cancellationToken)
    {
        var ids = candidates.Select(document => document.Id).ToArray();
        return router.ExecuteAsync(
            DatabaseOperation.Write,
            (connection, token) => connection.QueryAsync<Document>(
                $"""
                WITH waiting AS (
                    SELECT id FROM documents WHERE id = ANY(@ids) AND {IsWaiting} ORDER BY id FOR UPDATE SKIP LOCKED
                )
                UPDATE documents SET ocr_status = 'processing', ocr_claimed_at = clock_timestamp()
                FROM waiting WHERE documents.id = waiting.id
                RETURNING {Document.Columns}
                """,
                new { ids }, token),
            cancellationToken);
    }

    /// <summary>Writes the result. Returns <see langword="null"/> if another worker has claimed the document in the meantime.</summary>
    public Task<Document?> CompleteAsync(Document claimed, string text, CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Write,
            (connection, token) => connection.QueryOneAsync<Document>(
                $"""
                UPDATE documents SET ocr_status = 'completed', ocr_text = @text, ocr_processed_at = now()
                WHERE id = @Id AND ocr_status = 'processing' AND ocr_claimed_at = @OcrClaimedAt
                RETURNING {Document.Columns}
                """,
                new { claimed.Id, claimed.OcrClaimedAt, text }, token),
            cancellationToken);
}
