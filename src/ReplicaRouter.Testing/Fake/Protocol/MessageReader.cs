using System.Buffers.Binary;

namespace ReplicaRouter.Testing.Fake;

/// <summary>Splits a client's bytes into messages. Source: PostgreSQL manual, "Message Formats".</summary>
internal sealed class MessageReader(Stream stream)
{
    /// <summary>Longest valid message, in bytes.</summary>
    private const int Longest = 64 * 1024 * 1024;

    private byte[] _buffer = new byte[8192];
    private int _start;
    private int _end;

    /// <summary>Reads a message before the login, which has no type.</summary>
    /// <returns>The message; null if the client is gone.</returns>
    public ValueTask<MessageBody?> ReadStartupAsync(CancellationToken cancellationToken) => ReadAsync(header: 0, cancellationToken);

    /// <inheritdoc cref="ReadStartupAsync" path="/returns"/>
    public ValueTask<MessageBody?> ReadAsync(CancellationToken cancellationToken) => ReadAsync(header: 1, cancellationToken);

    /// <summary>Waits for more bytes and buffers them.</summary>
    /// <returns>Whether the client is still there.</returns>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length) Array.Resize(ref _buffer, 2 * _buffer.Length);
        var count = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += count;
        return count > 0;
    }

    private async ValueTask<MessageBody?> ReadAsync(int header, CancellationToken cancellationToken)
    {
        MessageBody? message;
        while ((message = TryTake(header)) is null)
        {
            if (!await FillAsync(cancellationToken).ConfigureAwait(false)) return null;
        }

        return message;
    }

    private MessageBody? TryTake(int header)
    {
        var read = _buffer.AsSpan(_start, _end - _start);
        if (read.Length < header + 4) return null;
        var length = BinaryPrimitives.ReadInt32BigEndian(read[header..]);
        if (length is < 4 or > Longest) throw new InvalidDataException($"The client's message has an invalid length: {length}.");
        if (read.Length < header + length) return null;
        _start += header + length;
        return new MessageBody(header == 0 ? (byte)0 : read[0], read[(header + 4)..(header + length)].ToArray());
    }
}
