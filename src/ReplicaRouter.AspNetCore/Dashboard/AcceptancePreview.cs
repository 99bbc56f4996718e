using System.Globalization;
using Microsoft.AspNetCore.Antiforgery;

namespace ReplicaRouter.Dashboard;

/// <summary>What an operator is asked before a host is accepted.</summary>
/// <param name="Accepted">What would be accepted, in a sentence.</param>
/// <param name="Former">What holds so far, in a sentence.</param>
/// <param name="GivenUp">What would be given up, a sentence each.</param>
/// <param name="Header">The header that carries the token of the order.</param>
/// <param name="Token">That token.</param>
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
