using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace ReplicaRouter;

/// <summary>Makes a router's tokens tamper-proof on their way through browsers and other services.</summary>
internal sealed class TokenSeal(IDataProtectionProvider protection, WebRouter router)
{
    /// <summary>Longest text that is decoded, in characters; ours have about 300.</summary>
    private const int MaxLength = 1024;

    private readonly ITimeLimitedDataProtector _protector = protection.CreateProtector(router.Name is { } name ? $"ReplicaRouter.Session.{name}" : "ReplicaRouter.Session").ToTimeLimitedDataProtector();

    public string Close(string token) => _protector.Protect(token, router.Options.TokenLifetime);

    /// <returns>The token; null if there is none, or it is damaged, forged, too old, or sealed with other keys.</returns>
    public string? Open(string? value)
    {
        if (string.IsNullOrEmpty(value)) return null;
        if (value.Length <= MaxLength)
        {
            try
            {
                return _protector.Unprotect(value);
            }
            catch (CryptographicException)
            {
                // Counted below, then treated like a missing token.
            }
        }

        router.Router.Engine.IgnoreToken("it is damaged, too old, or was sealed with other Data Protection keys");
        return null;
    }
}
