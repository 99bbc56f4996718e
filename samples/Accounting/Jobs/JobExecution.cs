namespace Accounting.Jobs;

public sealed record JobExecution
{
    public required Guid Id { get; init; }
    public required Guid OrganizationId { get; init; }
    public required string JobName { get; init; }

    /// <summary><c>queued</c>, <c>completed</c> or <c>failed</c>.</summary>
    public required string Status { get; init; }

    public required int Attempts { get; init; }
    public string? Error { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}
