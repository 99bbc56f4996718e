namespace ReplicaRouter.Testing.Fake;

/// <summary>The extended query protocol: prepared statements, and portals that run them. Source: PostgreSQL manual, "Message Flow".</summary>
internal sealed class ExtendedQuery(int connectionId, StatementRunner runner, MessageWriter writer)
{
    private readonly Dictionary<string, Prepared> _prepared = [];
    private readonly Dictionary<string, Portal> _portals = [];

    /// <summary>Drops all prepared statements, as DISCARD ALL does.</summary>
    public void Clear() => _prepared.Clear();

    /// <returns>Whether it succeeded. If not, the server skips all messages up to the next Sync.</returns>
    public async Task<bool> HandleAsync(MessageBody message)
    {
        switch (message.Type)
        {
            case 'P':
                _prepared[message.Text()] = new Prepared(Trim(message.Text()), message.List(body => (uint)body.Int32()));
                writer.Write('1');
                return true;
            case 'B':
                return Bind(message);
            case 'D':
                return message.Char() == 'S' ? DescribeStatement(message.Text()) : DescribePortal(message.Text());
            case 'E':
                return await ExecuteAsync(message.Text()).ConfigureAwait(false);
            case 'C':
                if (message.Char() == 'S') _prepared.Remove(message.Text());
                else _portals.Remove(message.Text());
                writer.Write('3');
                return true;
            default:
                return runner.Fail(new FakeError("ERROR", "0A000", $"The fake server does not understand messages of type '{message.Type}'."));
        }
    }

    private bool Bind(MessageBody message)
    {
        var (name, statement) = (message.Text(), message.Text());
        if (!_prepared.TryGetValue(statement, out var prepared)) return NoStatement(statement);
        var formats = new ResultFormats(message.List(body => body.Int16()));
        var values = message.List(body => body.Int32() is var length and >= 0 ? body.Bytes(length) : null);
        var parameters = values.Select((bytes, i) => bytes is null ? null : PgType.Decode(i < prepared.Types.Length ? prepared.Types[i] : 0, formats.IsBinary(i), bytes));
        _portals[name] = new Portal(new FakeStatement(connectionId, prepared.Sql, [.. parameters]), new ResultFormats(message.List(body => body.Int16())));
        writer.Write('2');
        return true;
    }

    private bool DescribeStatement(string name)
    {
        if (!_prepared.TryGetValue(name, out var prepared)) return NoStatement(name);
        writer.ParameterDescription(prepared.Types);
        Describe(runner.Begin(new FakeStatement(connectionId, prepared.Sql, new object?[prepared.Types.Length], isPreparation: true)), ResultFormats.Text);
        return true;
    }

    private bool DescribePortal(string name)
    {
        if (!_portals.TryGetValue(name, out var portal)) return NoPortal(name);
        Describe(AnswerOf(portal), portal.Formats);
        return true;
    }

    private async Task<bool> ExecuteAsync(string name) =>
        _portals.TryGetValue(name, out var portal) ? await runner.RunAsync(portal.Statement, AnswerOf(portal), portal.Formats).ConfigureAwait(false) : NoPortal(name);

    /// <summary>Returns a portal's answer, which the first of Describe and Execute determines.</summary>
    private FakeAnswer AnswerOf(Portal portal) => portal.Answer ??= runner.Begin(portal.Statement);

    private void Describe(FakeAnswer answer, ResultFormats formats)
    {
        if (answer.Columns is { } columns) writer.RowDescription(columns, formats);
        else writer.Write('n');
    }

    private bool NoStatement(string name) => runner.Fail(new FakeError("ERROR", "26000", $"prepared statement \"{name}\" does not exist"));

    private bool NoPortal(string name) => runner.Fail(new FakeError("ERROR", "34000", $"portal \"{name}\" does not exist"));

    private static string Trim(string sql) => sql.Trim().TrimEnd(';').TrimEnd();

    private sealed record Prepared(string Sql, uint[] Types);

    private sealed class Portal(FakeStatement statement, ResultFormats formats)
    {
        public FakeStatement Statement { get; } = statement;

        public ResultFormats Formats { get; } = formats;

        public FakeAnswer? Answer { get; set; }
    }
}
