using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace ReplicaRouter.Sessions;

/// <summary>What a session requires, in a text form for other processes: short, versioned, with a checksum, and signed if a secret is set.</summary>
/// <param name="Position">The WAL position that reads must reach.</param>
/// <param name="IssuedAt">When the token was issued; in the time-window mode, when the session last wrote.</param>
/// <param name="IsOpen">Whether the session did more, whose position could not be learned: the next reader must ask the primary first.</param>
internal readonly record struct SessionToken(WalPosition Position, DateTimeOffset IssuedAt, bool IsOpen)
{
    private const byte Version = 0x20;
    private const byte OpenFlag = 0x01;
    private const int ContentLength = 37;
    private const int ChecksumLength = 7;
    private const int SignatureLength = 16;

    /// <summary>Longest text that is decoded; our own tokens are far shorter.</summary>
    private const int MaxTextLength = 128;

    /// <param name="secret">Signs the token. If empty, a checksum protects it against accidents only.</param>
    public string Encode(ReadOnlySpan<byte> secret)
    {
        Span<byte> bytes = stackalloc byte[ContentLength];
        bytes[0] = (byte)(Version | (IsOpen ? OpenFlag : 0));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[1..], Position.SystemIdentifier);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[9..], Position.Timeline);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[13..], Position.Lsn);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[21..], IssuedAt.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[29..], Position.Fork);
        return Base64Url.EncodeToString([.. bytes, .. Seal(bytes, secret)]);
    }

    /// <summary>Reads a token. Never throws.</summary>
    /// <returns>Whether the text is a token that was written with the same secret.</returns>
    public static bool TryDecode(ReadOnlySpan<char> text, ReadOnlySpan<byte> secret, out SessionToken token)
    {
        token = default;
        Span<byte> bytes = stackalloc byte[MaxTextLength];
        if (text.Length > MaxTextLength || !Base64Url.IsValid(text) || !Base64Url.TryDecodeFromChars(text, bytes, out var length)) return false;
        if (length <= ContentLength || !CryptographicOperations.FixedTimeEquals(bytes[ContentLength..length], Seal(bytes[..ContentLength], secret))) return false;
        var milliseconds = BinaryPrimitives.ReadInt64LittleEndian(bytes[21..]);
        if ((bytes[0] & ~OpenFlag) != Version || milliseconds < 0 || milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()) return false;
        var position = new WalPosition(BinaryPrimitives.ReadUInt64LittleEndian(bytes[1..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[9..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[13..]));
        token = new SessionToken(
            position with { Fork = BinaryPrimitives.ReadUInt64LittleEndian(bytes[29..]) },
            DateTimeOffset.FromUnixTimeMilliseconds(milliseconds),
            (bytes[0] & OpenFlag) != 0);
        return token.Position.Timeline >= 0;
    }

    private static ReadOnlySpan<byte> Seal(ReadOnlySpan<byte> content, ReadOnlySpan<byte> secret) =>
        secret.IsEmpty ? SHA256.HashData(content).AsSpan(0, ChecksumLength) : HMACSHA256.HashData(secret, content).AsSpan(0, SignatureLength);
}
