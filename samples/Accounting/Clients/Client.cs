namespace Accounting.Clients;

/// <summary>A business whose books an organization keeps.</summary>
public sealed record Client
{
    public required Guid Id { get; init; }
    public required Guid OrganizationId { get; init; }
    public required string BusinessName { get; init; }
    public required string PrimaryContactEmail { get; init; }
    public required string Industry { get; init; }

    /// <summary><c>active</c>, <c>prospect</c> or <c>inactive</c>.</summary>
    public required string Status { get; init; }

    public required decimal AnnualRevenue { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}
