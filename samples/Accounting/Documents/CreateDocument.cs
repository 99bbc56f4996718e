using System.ComponentModel.DataAnnotations;

namespace Accounting.Documents;

/// <summary>The data needed to file a document. Its text is recognized later.</summary>
public sealed record CreateDocument
{
    public required Guid OrganizationId { get; init; }
    public required Guid ClientId { get; init; }

    [Required, StringLength(200)]
    public required string Name { get; init; }

    [Required, AllowedValues("receipt", "invoice", "bank_statement", "tax_form", "contract")]
    public required string Category { get; init; }
}

public sealed record DocumentCount
{
    public required string Category { get; init; }
    public required string OcrStatus { get; init; }
    public required long Count { get; init; }
}
