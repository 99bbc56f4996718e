namespace Accounting.Organizations;

/// <summary>A tenant. Everything else belongs to exactly one tenant.</summary>
public sealed record Organization
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}
