using Accounting.Database;
using ReplicaRouter;

namespace Accounting.Documents;

public sealed class DocumentService(DatabaseRouter router)
{
    /// <summary>Files a document: a write. Its text is still to be recognized.</summary>
    public Task<Document> CreateAsync(CreateDocument document, CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Write,
            async (connection, token) => (await connection.QueryAsync<Document>(
                $"""
                INSERT INTO documents (organization_id, client_id, name, category, ocr_status)
                VALUES (@OrganizationId, @ClientId, @Name, @Category, 'pending')
                RETURNING {Document.Columns}
                """,
                document, token)).Single(),
            cancellationToken);

    /// <summary>Returns a document with its client: a read.</summary>
    public Task<DocumentWithClient?> GetAsync(Guid id, CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Read,
            (connection, token) => connection.QueryOneAsync<DocumentWithClient>(
                $"""
                SELECT {Document.Columns}, clients.business_name AS client_business_name,
                       clients.primary_contact_email AS client_primary_contact_email
                FROM documents JOIN clients ON clients.id = documents.client_id
                WHERE documents.id = @id AND documents.deleted_at IS NULL
                """,
                new { id }, token),
            cancellationToken);

    /// <summary>Counts documents by category: an aggregation, so on the analytics replica.</summary>
    public Task<IReadOnlyList<DocumentCount>> GetStatsByCategoryAsync(Guid organizationId, CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Analytics,
            (connection, token) => connection.QueryAsync<DocumentCount>(
                """
                SELECT category, ocr_status, count(*) AS count
                FROM documents
                WHERE organization_id = @organizationId AND deleted_at IS NULL
                GROUP BY category, ocr_status
                ORDER BY category, ocr_status
                """,
                new { organizationId }, token),
            cancellationToken);
}
