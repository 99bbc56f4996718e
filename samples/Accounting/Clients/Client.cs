namespace Accounting.Clients;

/// <summary>A business whose books an organization keeps. Properties that the database sets are not required.</summary>
public sealed record Client
{
    public Guid Id { get; init; }
    public required Guid OrganizationId { get; init; }
    public required string BusinessName { get; init; }
    public required string PrimaryContactEmail { get; init; }
    public required string Industry { get; init; }

    /// <summary><c>active</c>, <c>prospect</c> or <c>inactive</c>.</summary>
    public string Status { get; init; } = null!;

    public required decimal AnnualRevenue { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; set; }
}
