using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Options;

namespace ReplicaRouter;

/// <summary>Makes tokens tamper-proof for their way through hands that nobody vouches for.</summary>
internal sealed class TokenSeal(IDataProtectionProvider protection, DatabaseRouter router, IOptions<DatabaseRouterWebOptions> options)
{
    /// <summary>Longest text that is looked at; what we write has about 300 characters.</summary>
    private const int MaxLength = 1024;

    private readonly ITimeLimitedDataProtector _protector = protection.CreateProtector("ReplicaRouter.Session").ToTimeLimitedDataProtector();

    public string Close(string token) => _protector.Protect(token, options.Value.TokenLifetime);

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

        router.Engine.IgnoreToken("it is damaged, too old, or was sealed with other Data Protection keys");
        return null;
    }
}
