using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using NpgsqlTypes;

namespace ReplicaRouter.Testing.Fake;

/// <summary>A PostgreSQL type: its OID, its size, and the encoding of its values.</summary>
internal sealed class PgType
{
    private static readonly DateTime s_epoch = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private static readonly Dictionary<Type, PgType> s_types = new()
    {
        [typeof(bool)] = New<bool>(16, 1, value => [value ? (byte)1 : (byte)0], value => value ? "t" : "f"),
        [typeof(short)] = New<short>(21, 2, value => Bytes(2, bytes => BinaryPrimitives.WriteInt16BigEndian(bytes, value)), Invariant),
        [typeof(int)] = New<int>(23, 4, value => Bytes(4, bytes => BinaryPrimitives.WriteInt32BigEndian(bytes, value)), Invariant),
        [typeof(long)] = New<long>(20, 8, Int64, Invariant),
        [typeof(double)] = New<double>(701, 8, value => Bytes(8, bytes => BinaryPrimitives.WriteDoubleBigEndian(bytes, value)), Invariant),
        [typeof(string)] = New<string>(25, -1, Encoding.UTF8.GetBytes, value => value),
        [typeof(DateTime)] = New<DateTime>(1184, 8, value => Int64((Utc(value) - s_epoch).Ticks / TimeSpan.TicksPerMicrosecond),
            value => Utc(value).ToString("yyyy-MM-dd HH:mm:ss.ffffff+00", CultureInfo.InvariantCulture)),
        [typeof(Guid)] = New<Guid>(2950, 16, value => value.ToByteArray(bigEndian: true), value => value.ToString()),
        [typeof(byte[])] = New<byte[]>(17, -1, value => value, value => $"\\x{Convert.ToHexString(value)}"),
        [typeof(NpgsqlLogSequenceNumber)] = New<NpgsqlLogSequenceNumber>(3220, 8, value => Int64((long)(ulong)value), value => value.ToString()),
    };

    private readonly Func<object, byte[]> _binary;
    private readonly Func<object, string> _text;

    private PgType(uint oid, short size, Func<object, byte[]> binary, Func<object, string> text) => (Oid, Size, _binary, _text) = (oid, size, binary, text);

    public uint Oid { get; }

    /// <summary>Size of a value in bytes; -1 if it varies.</summary>
    public short Size { get; }

    /// <exception cref="NotSupportedException">The fake server does not support values of this type.</exception>
    public static PgType Of(Type type) => s_types.GetValueOrDefault(type)
        ?? throw new NotSupportedException($"A fake server does not support values of type {type.Name}, only {string.Join(", ", s_types.Keys.Select(known => known.Name))}.");

    public byte[] Encode(object value, bool isBinary) => isBinary ? _binary(value) : Encoding.UTF8.GetBytes(_text(value));

    /// <summary>Returns a parameter's value; for unknown types, its bytes.</summary>
    public static object Decode(uint oid, bool isBinary, byte[] bytes)
    {
        if (!isBinary) return Encoding.UTF8.GetString(bytes);
        return oid switch
        {
            16 => bytes[0] != 0,
            21 => BinaryPrimitives.ReadInt16BigEndian(bytes),
            23 => BinaryPrimitives.ReadInt32BigEndian(bytes),
            20 => BinaryPrimitives.ReadInt64BigEndian(bytes),
            701 => BinaryPrimitives.ReadDoubleBigEndian(bytes),
            19 or 25 or 114 or 705 or 1042 or 1043 => Encoding.UTF8.GetString(bytes),
            1184 => s_epoch.AddMicroseconds(BinaryPrimitives.ReadInt64BigEndian(bytes)),
            2950 => new Guid(bytes, bigEndian: true),
            3220 => new NpgsqlLogSequenceNumber(BinaryPrimitives.ReadUInt64BigEndian(bytes)),
            1007 => Integers(bytes),
            _ => bytes,
        };
    }

    /// <summary>Reads an array: dimensions, flags, type; for each dimension its length and first index; then each element after its length.</summary>
    private static int[] Integers(byte[] bytes)
    {
        if (BinaryPrimitives.ReadInt32BigEndian(bytes) == 0) return [];
        var values = new int[BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(12))];
        for (var i = 0; i < values.Length; i++) values[i] = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(24 + (8 * i)));
        return values;
    }

    private static PgType New<T>(uint oid, short size, Func<T, byte[]> binary, Func<T, string> text) where T : notnull =>
        new(oid, size, value => binary((T)value), value => text((T)value));

    private static string Invariant<T>(T value) where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    private static byte[] Int64(long value) => Bytes(8, bytes => BinaryPrimitives.WriteInt64BigEndian(bytes, value));

    private static byte[] Bytes(int size, Action<byte[]> write)
    {
        var bytes = new byte[size];
        write(bytes);
        return bytes;
    }

    private static DateTime Utc(DateTime value) => value.Kind == DateTimeKind.Local ? value.ToUniversalTime() : value;
}
