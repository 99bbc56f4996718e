using Accounting.Database;
using ReplicaRouter;

namespace Accounting.Documents;

/// <summary>The documents whose text is still to be recognised. Looking is a replica's work, taking is the primary's.</summary>
public sealed class OcrQueue(DatabaseRouter router)
{
    // A worker that died holds its documents no longer than this.
    private const string IsWaiting =
        "(ocr_status = 'pending' OR (ocr_status = 'processing' AND ocr_claimed_at < now() - interval '5 minutes')) AND deleted_at IS NULL";

    /// <summary>The oldest waiting documents, as the background replica knows them: some may be taken by now.</summary>
    public Task<IReadOnlyList<Document>> FindPendingAsync(int limit, CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Background,
            (connection, token) => connection.QueryAsync<Document>(
                $"SELECT {Document.Columns} FROM documents WHERE {IsWaiting} ORDER BY created_at, id LIMIT @limit",
                new { limit }, token),
            cancellationToken);

    /// <summary>Takes those of the documents that really wait: the primary decides, so no document is processed twice.</summary>
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

    /// <summary>Writes the result, unless the claim was lost to another worker meanwhile: then <see langword="null"/>.</summary>
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
