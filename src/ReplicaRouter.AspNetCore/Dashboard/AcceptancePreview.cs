using System.Globalization;
using Microsoft.AspNetCore.Antiforgery;

namespace ReplicaRouter.Dashboard;

/// <summary>What an operator confirms before a host is accepted.</summary>
/// <param name="Accepted">What would be accepted, in one sentence.</param>
/// <param name="Former">The current state, in one sentence.</param>
/// <param name="GivenUp">What would be abandoned, one sentence each.</param>
/// <param name="Header">The header that carries the antiforgery token of the order.</param>
/// <param name="Token">The antiforgery token.</param>
internal sealed record AcceptancePreview(string Accepted, string Former, string[] GivenUp, string Header, string Token)
{
    public static AcceptancePreview Of(HostAcceptance acceptance, AntiforgeryTokenSet tokens) => new(
        string.Create(CultureInfo.InvariantCulture, $"{acceptance.Host} {(acceptance.Role == HostRole.Primary ? "takes writes" : "is a standby")}: system identifier {acceptance.SystemIdentifier}, timeline {acceptance.Timeline}."),
        string.Create(CultureInfo.InvariantCulture,
            $"So far: system identifier {acceptance.FormerSystemIdentifier?.ToString(CultureInfo.InvariantCulture) ?? "unknown"}, timeline {acceptance.FormerTimeline}, {(acceptance.FormerPrimary is { } primary ? $"primary {primary}" : "no primary")}."),
        [.. acceptance.GivenUp],
        tokens.HeaderName!,
        tokens.RequestToken!);
}
