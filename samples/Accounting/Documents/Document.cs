namespace Accounting.Documents;

public record Document
{
    public required Guid Id { get; init; }
    public required Guid OrganizationId { get; init; }
    public required Guid ClientId { get; init; }
    public required string Name { get; init; }

    /// <summary><c>receipt</c>, <c>invoice</c>, <c>bank_statement</c>, <c>tax_form</c> or <c>contract</c>.</summary>
    public required string Category { get; init; }

    /// <summary><c>pending</c>, <c>processing</c>, <c>completed</c> or <c>failed</c>.</summary>
    public required string OcrStatus { get; init; }

    public string? OcrText { get; init; }
    public DateTimeOffset? OcrClaimedAt { get; init; }
    public DateTimeOffset? OcrProcessedAt { get; init; }
    public DateTimeOffset? DeletedAt { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    internal const string Columns =
        """
        documents.id, documents.organization_id, documents.client_id, documents.name, documents.category, documents.ocr_status,
        documents.ocr_text, documents.ocr_claimed_at, documents.ocr_processed_at, documents.deleted_at, documents.created_at
        """;
}

/// <summary>A document with its client's name and email address.</summary>
public sealed record DocumentWithClient : Document
{
    public required string ClientBusinessName { get; init; }
    public required string ClientPrimaryContactEmail { get; init; }
}
