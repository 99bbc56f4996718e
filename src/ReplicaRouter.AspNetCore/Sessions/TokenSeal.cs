using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace ReplicaRouter;

/// <summary>Makes a router's tokens tamper-proof on their way through browsers and other services.</summary>
internal sealed class TokenSeal(IDataProtectionProvider protection, WebRouter router)
{
    /// <summary>Longest text that is looked at; what we write has about 300 characters.</summary>
    private const int MaxLength = 1024;

    private readonly ITimeLimitedDataProtector _protector = protection.CreateProtector(router.Name is { } name ? $"ReplicaRouter.Session.{name}" : "ReplicaRouter.Session").ToTimeLimitedDataProtector();

    public string Close(string token) => _protector.Protect(token, router.Options.TokenLifetime);

    /// <returns>The token; null for none and for one that is damaged, forged, too old, or sealed with keys that are not ours.</returns>
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
                // Whoever sent it gets no more than those who sent none.
            }
        }

        router.Router.Engine.IgnoreToken("it is damaged, too old, or was sealed with other Data Protection keys");
        return null;
    }
}
