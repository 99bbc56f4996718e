using System.Buffers.Binary;
using System.Text;

namespace ReplicaRouter.Testing.Fake;

/// <summary>A client's message, read from start to end.</summary>
/// <param name="type">The type byte; zero for messages before the login, which have none.</param>
/// <param name="bytes">The bytes after the length.</param>
internal sealed class MessageBody(byte type, byte[] bytes)
{
    private int _position;

    public char Type => (char)type;

    public int Int16()
    {
        var value = BinaryPrimitives.ReadInt16BigEndian(bytes.AsSpan(_position));
        _position += 2;
        return value;
    }

    public int Int32()
    {
        var value = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(_position));
        _position += 4;
        return value;
    }

    public char Char() => (char)bytes[_position++];

    public string Text()
    {
        var length = bytes.AsSpan(_position).IndexOf((byte)0);
        if (length < 0) throw new InvalidDataException("A string in the client's message has no terminator.");
        var text = Encoding.UTF8.GetString(bytes, _position, length);
        _position += length + 1;
        return text;
    }

    public byte[] Bytes(int count)
    {
        var value = bytes.AsSpan(_position, count).ToArray();
        _position += count;
        return value;
    }

    /// <summary>Reads a list: its length, then its elements.</summary>
    public T[] List<T>(Func<MessageBody, T> element)
    {
        var list = new T[Int16()];
        for (var i = 0; i < list.Length; i++) list[i] = element(this);
        return list;
    }
}
