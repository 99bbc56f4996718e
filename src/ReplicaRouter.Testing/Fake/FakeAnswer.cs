using ReplicaRouter.Testing.Fake;

namespace ReplicaRouter.Testing;

/// <summary>The answer of a <see cref="FakeServer"/> to a statement or a login. Immutable: one answer can serve any number of statements at once.</summary>
public sealed class FakeAnswer
{
    private FakeAnswer() { }

    /// <summary>The columns; null for a statement that returns no rows.</summary>
    internal IReadOnlyList<FakeColumn>? Columns { get; private set; }

    internal IReadOnlyList<object?[]> Rows { get; private set; } = [];

    internal string? CommandTag { get; private set; }

    internal FakeError? Failure { get; private set; }

    internal FakeFault? Fault { get; private set; }

    internal TimeSpan Delay { get; private set; }

    /// <summary>Whether the statement has its effect.</summary>
    internal bool IsCarriedOut { get; private init; }

    /// <summary>Carries the statement out, and answers with the tag of its first word.</summary>
    internal static FakeAnswer Done { get; } = new() { IsCarriedOut = true };

    /// <summary>Answers with one row of unnamed columns. The values determine the columns' types; null means text.</summary>
    /// <param name="values">Values of the types that <see cref="Table"/> supports.</param>
    /// <exception cref="NotSupportedException">The fake server does not support values of this type.</exception>
    public static FakeAnswer Row(params object?[] values) =>
        Table([.. values.Select(value => ("?column?", value?.GetType() ?? typeof(string)))]).With(values);

    /// <summary>Answers with a table without rows; <see cref="With"/> adds them.</summary>
    /// <param name="columns">
    /// Names and types: <c>bool</c>, <c>short</c>, <c>int</c>, <c>long</c>, <c>double</c>, <c>string</c> (text), <c>DateTime</c> (timestamptz), <c>Guid</c>,
    /// <c>byte[]</c> and <c>NpgsqlLogSequenceNumber</c>.
    /// </param>
    /// <exception cref="NotSupportedException">The fake server does not support values of this type.</exception>
    public static FakeAnswer Table(params (string Name, Type Type)[] columns) =>
        new() { IsCarriedOut = true, Columns = [.. columns.Select(column => new FakeColumn(column.Name, PgType.Of(column.Type)))] };

    /// <summary>Answers with a command tag and no rows.</summary>
    /// <param name="tag">The tag, with the number of changed rows where PostgreSQL sends it: <c>UPDATE 3</c>, <c>INSERT 0 1</c>, <c>COMMIT</c>.</param>
    public static FakeAnswer Tag(string tag) => new() { IsCarriedOut = true, CommandTag = tag };

    /// <summary>Answers with an error. The connection stays open, and an open transaction fails.</summary>
    /// <param name="sqlState">The SQLSTATE, as in <c>PostgresErrorCodes</c>.</param>
    /// <param name="message">The message. Default: one that contains the SQLSTATE.</param>
    public static FakeAnswer Error(string sqlState, string? message = null) => Failed("ERROR", sqlState, message);

    /// <summary>Answers with an error that ends the connection, such as 57P01 for an administrator's command.</summary>
    /// <inheritdoc cref="Error" path="/param"/>
    public static FakeAnswer Fatal(string sqlState, string? message = null) => Failed("FATAL", sqlState, message);

    /// <summary>Gives no answer. The statement is not carried out.</summary>
    /// <param name="fault">What happens instead.</param>
    public static FakeAnswer Fail(FakeFault fault) => new() { Fault = fault };

    /// <summary>Returns a copy with one more row.</summary>
    /// <param name="row">A value of the column's type, or null, for each column.</param>
    /// <exception cref="ArgumentException">The values do not match the columns.</exception>
    public FakeAnswer With(params object?[] row)
    {
        if (Columns is not { } columns || row.Length != columns.Count) throw new ArgumentException($"The row has {row.Length} values, the answer {Columns?.Count ?? 0} columns.", nameof(row));
        for (var i = 0; i < row.Length; i++)
        {
            if (row[i] is { } value && PgType.Of(value.GetType()) != columns[i].Type)
                throw new ArgumentException($"Column '{columns[i].Name}' is not of type {value.GetType().Name}.", nameof(row));
        }

        return Changed(answer => answer.Rows = [.. Rows, row]);
    }

    /// <summary>
    /// Returns a copy that ends with a fault: the statement is carried out, its rows are sent, and then the fault happens. <see cref="Fail"/> loses a
    /// COMMIT before it takes effect; <c>FakeAnswer.Tag("COMMIT").Then(FakeFault.Reset)</c> loses the answer to it.
    /// </summary>
    /// <param name="fault">The fault.</param>
    public FakeAnswer Then(FakeFault fault) => Changed(answer => answer.Fault = fault);

    /// <summary>Returns a copy that answers after a delay on the server's <see cref="TimeProvider"/>. A cancel request ends the delay with 57014.</summary>
    /// <param name="delay">Zero or more.</param>
    public FakeAnswer After(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        return Changed(answer => answer.Delay = delay);
    }

    private static FakeAnswer Failed(string severity, string sqlState, string? message) =>
        new() { Failure = new FakeError(severity, sqlState, message ?? $"The fake server was set to fail with {sqlState}.") };

    private FakeAnswer Changed(Action<FakeAnswer> change)
    {
        var copy = (FakeAnswer)MemberwiseClone();
        change(copy);
        return copy;
    }
}
