using System.ComponentModel.DataAnnotations;

namespace Accounting.Clients;

/// <summary>The data needed to add a client. A new client is active.</summary>
public sealed record CreateClient
{
    public required Guid OrganizationId { get; init; }

    [Required, StringLength(200)]
    public required string BusinessName { get; init; }

    [Required, EmailAddress]
    public required string PrimaryContactEmail { get; init; }

    [Required, StringLength(100)]
    public string Industry { get; init; } = "other";

    [Range(0, 1e11)]
    public decimal AnnualRevenue { get; init; }
}

/// <summary>The data that changes when a client's fiscal year is closed.</summary>
public sealed record UpdateAnnualRevenue
{
    [Range(0, 1e11)]
    public required decimal AnnualRevenue { get; init; }
}
