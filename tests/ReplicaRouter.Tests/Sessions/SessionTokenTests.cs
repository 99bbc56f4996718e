using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ReplicaRouter.Tests.Sessions;

public class SessionTokenTests
{
    private static readonly byte[] s_secret = Encoding.UTF8.GetBytes("a secret of thirty-two characters");
    private static readonly byte[] s_otherSecret = Encoding.UTF8.GetBytes("another of thirty-two characters!");

    private static SessionToken Token(ulong cluster = 7, int timeline = 3, ulong lsn = 0x1_0000_0042, bool isOpen = false, ulong fork = 0) =>
        new(new WalPosition(cluster, timeline, lsn) { Fork = fork }, DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_123), isOpen);

    [Property(MaxTest = 1000)]
    public bool A_token_survives_encoding_and_decoding(ulong cluster, NonNegativeInt timeline, ulong lsn, ulong fork, bool isOpen, bool isSigned)
    {
        var token = Token(cluster, timeline.Get, lsn, isOpen, fork);
        var secret = isSigned ? s_secret : [];
        return SessionToken.TryDecode(token.Encode(secret), secret, out var read) && read == token;
    }

    [Fact]
    public void A_token_is_short_and_safe_in_urls_headers_and_cookies()
    {
        Assert.Matches("^[A-Za-z0-9_-]{59}$", Token().Encode([]));
        Assert.Matches("^[A-Za-z0-9_-]{71}$", Token().Encode(s_secret));
    }

    /// <summary>Each input is a token damaged in one way, or random text. Decoding must reject them all without throwing.</summary>
    [Fact]
    public void A_hundred_thousand_damaged_forged_and_random_tokens_are_rejected()
    {
        var random = new Random(1);
        for (var i = 0; i < 100_000; i++)
        {
            var isSigned = random.Next(2) == 0;
            byte[] secret = isSigned ? s_secret : [];
            var original = Token((ulong)random.NextInt64(), random.Next(), (ulong)random.NextInt64(), random.Next(2) == 0).Encode(secret);
            var text = (i % 7) switch
            {
                0 => original[..random.Next(original.Length)],
                1 => Flipped(original, random),
                2 => original + original[..(1 + random.Next(original.Length))],
                3 => original + new string('A', random.Next(1, 100_000)),
                4 => Token(lsn: (ulong)random.NextInt64()).Encode(isSigned ? s_otherSecret : s_secret),    // signed with another secret, or signed although none is expected
                5 => isSigned ? Token(lsn: (ulong)random.NextInt64()).Encode([]) : Version(original, random),
                _ => Noise(random),
            };
            Assert.False(SessionToken.TryDecode(text, secret, out var token), text.Length < 200 ? text : "oversized");
            Assert.Equal(default, token);
        }
    }

    private static string Flipped(string text, Random random)
    {
        var bytes = System.Buffers.Text.Base64Url.DecodeFromChars(text);
        bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        return System.Buffers.Text.Base64Url.EncodeToString(bytes);
    }

    /// <summary>Returns a token with a future version and a correct checksum.</summary>
    private static string Version(string text, Random random)
    {
        var bytes = System.Buffers.Text.Base64Url.DecodeFromChars(text);
        bytes[0] = (byte)(0x30 + random.Next(0x40));
        System.Security.Cryptography.SHA256.HashData(bytes.AsSpan(0, 37)).AsSpan(0, 7).CopyTo(bytes.AsSpan(37));
        return System.Buffers.Text.Base64Url.EncodeToString(bytes);
    }

    private static string Noise(Random random) => string.Create(random.Next(0, 300), random, (span, source) =>
    {
        foreach (ref var c in span) c = (char)source.Next(0, source.Next(2) == 0 ? 128 : 0xFFFF);
    });
}
