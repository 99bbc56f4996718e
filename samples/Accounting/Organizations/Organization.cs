namespace Accounting.Organizations;

/// <summary>One tenant: all else belongs to exactly one.</summary>
public sealed record Organization
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}
