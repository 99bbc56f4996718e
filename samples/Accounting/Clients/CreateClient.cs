using System.ComponentModel.DataAnnotations;

namespace Accounting.Clients;

/// <summary>What is needed to take a client on. It starts active.</summary>
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

/// <summary>What may change about a client once a year's accounts are closed.</summary>
public sealed record UpdateAnnualRevenue
{
    [Range(0, 1e11)]
    public required decimal AnnualRevenue { get; init; }
}
