using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace ReplicaRouter.Testing.Fake;

/// <summary>Buffers a server's messages until they are flushed. Source: PostgreSQL manual, "Message Formats".</summary>
internal sealed class MessageWriter(Stream stream)
{
    private readonly List<byte> _bytes = [];

    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        var bytes = _bytes.ToArray();
        _bytes.Clear();
        await stream.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a message that consists only of its type, such as ParseComplete.</summary>
    public void Write(char type) => Write(type, () => { });

    public void AuthenticationOk() => Write('R', () => Int32(0));

    public void ParameterStatus(string name, string value) => Write('S', () =>
    {
        Text(name);
        Text(value);
    });

    public void BackendKeyData(int processId, int secret) => Write('K', () =>
    {
        Int32(processId);
        Int32(secret);
    });

    public void ReadyForQuery(char transaction) => Write('Z', () => _bytes.Add((byte)transaction));

    public void CommandComplete(string tag) => Write('C', () => Text(tag));

    public void ParameterDescription(uint[] types) => Write('t', () =>
    {
        Int16(types.Length);
        foreach (var type in types) Int32((int)type);
    });

    public void RowDescription(IReadOnlyList<FakeColumn> columns, ResultFormats formats) => Write('T', () =>
    {
        Int16(columns.Count);
        for (var i = 0; i < columns.Count; i++)
        {
            Text(columns[i].Name);
            Int32(0);    // no table
            Int16(0);    // no column of a table
            Int32((int)columns[i].Type.Oid);
            Int16(columns[i].Type.Size);
            Int32(-1);   // no type modifier
            Int16(formats.IsBinary(i) ? 1 : 0);
        }
    });

    public void DataRow(IReadOnlyList<FakeColumn> columns, object?[] row, ResultFormats formats) => Write('D', () =>
    {
        Int16(row.Length);
        for (var i = 0; i < row.Length; i++)
        {
            if (row[i] is not { } value)
            {
                Int32(-1);
                continue;
            }

            var bytes = columns[i].Type.Encode(value, formats.IsBinary(i));
            Int32(bytes.Length);
            _bytes.AddRange(bytes);
        }
    });

    public void Error(FakeError error) => Write('E', () =>
    {
        Field('S', error.Severity);
        Field('V', error.Severity);
        Field('C', error.SqlState);
        Field('M', error.Message);
        _bytes.Add(0);
    });

    private void Write(char type, Action body)
    {
        _bytes.Add((byte)type);
        var start = _bytes.Count;
        Int32(0);
        body();
        BinaryPrimitives.WriteInt32BigEndian(CollectionsMarshal.AsSpan(_bytes)[start..], _bytes.Count - start);
    }

    private void Field(char field, string text)
    {
        _bytes.Add((byte)field);
        Text(text);
    }

    private void Text(string text)
    {
        _bytes.AddRange(Encoding.UTF8.GetBytes(text));
        _bytes.Add(0);
    }

    private void Int32(int value)
    {
        Int16(value >> 16);
        Int16(value);
    }

    private void Int16(int value)
    {
        _bytes.Add((byte)(value >> 8));
        _bytes.Add((byte)value);
    }
}
