using ReplicaRouter.Testing.Fake;

namespace ReplicaRouter.Testing;

/// <summary>What a <see cref="FakeServer"/> answers to a statement, or to a login. Immutable: it may serve any number of statements at once.</summary>
public sealed class FakeAnswer
{
    private FakeAnswer() { }

    /// <summary>Null where the statement returns no rows, so that it has no columns.</summary>
    internal IReadOnlyList<FakeColumn>? Columns { get; private set; }

    internal IReadOnlyList<object?[]> Rows { get; private set; } = [];

    internal string? CommandTag { get; private set; }

    internal FakeError? Failure { get; private set; }

    internal FakeFault? Fault { get; private set; }

    internal TimeSpan Delay { get; private set; }

    /// <summary>Whether the statement has its effect.</summary>
    internal bool IsCarriedOut { get; private init; }

    /// <summary>The statement is carried out, and answered by the tag of its first word.</summary>
    internal static FakeAnswer Done { get; } = new() { IsCarriedOut = true };

    /// <summary>One row without names. The values' types are the columns'; that of null is text.</summary>
    /// <param name="values">Of the types of <see cref="Table"/>.</param>
    /// <exception cref="NotSupportedException">The fake server does not send values of that type.</exception>
    public static FakeAnswer Row(params object?[] values) =>
        Table([.. values.Select(value => ("?column?", value?.GetType() ?? typeof(string)))]).With(values);

    /// <summary>No rows yet: <see cref="With"/> adds them.</summary>
    /// <param name="columns">
    /// Names and types: <c>bool</c>, <c>short</c>, <c>int</c>, <c>long</c>, <c>double</c>, <c>string</c> (text), <c>DateTime</c> (timestamptz), <c>Guid</c>,
    /// <c>byte[]</c> and <c>NpgsqlLogSequenceNumber</c>.
    /// </param>
    /// <exception cref="NotSupportedException">The fake server does not send values of that type.</exception>
    public static FakeAnswer Table(params (string Name, Type Type)[] columns) =>
        new() { IsCarriedOut = true, Columns = [.. columns.Select(column => new FakeColumn(column.Name, PgType.Of(column.Type)))] };

    /// <summary>No rows, but the number of those that were changed.</summary>
    /// <param name="tag">As PostgreSQL has it: <c>UPDATE 3</c>, <c>INSERT 0 1</c>, <c>COMMIT</c>.</param>
    public static FakeAnswer Tag(string tag) => new() { IsCarriedOut = true, CommandTag = tag };

    /// <summary>An error. The connection goes on, and an open transaction has failed.</summary>
    /// <param name="sqlState">The code, as of <c>PostgresErrorCodes</c>.</param>
    /// <param name="message">The text. Default: one that names the code.</param>
    public static FakeAnswer Error(string sqlState, string? message = null) => Failed("ERROR", sqlState, message);

    /// <summary>An error that ends the connection, such as 57P01 by an administrator's command.</summary>
    /// <inheritdoc cref="Error" path="/param"/>
    public static FakeAnswer Fatal(string sqlState, string? message = null) => Failed("FATAL", sqlState, message);

    /// <summary>No answer at all. The statement is not carried out.</summary>
    /// <param name="fault">What happens instead.</param>
    public static FakeAnswer Fail(FakeFault fault) => new() { Fault = fault };

    /// <summary>The same with one more row.</summary>
    /// <param name="row">A value for each column, of its type, or null.</param>
    /// <exception cref="ArgumentException">The values do not fit the columns.</exception>
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
    /// The same with a fault in place of its end: the statement is carried out, rows are sent, and then it happens. So a COMMIT is lost before
    /// it was carried out by <see cref="Fail"/>, and after it by <c>FakeAnswer.Tag("COMMIT").Then(FakeFault.Reset)</c>.
    /// </summary>
    /// <param name="fault">What happens.</param>
    public FakeAnswer Then(FakeFault fault) => Changed(answer => answer.Fault = fault);

    /// <summary>The same after some time of the server's <see cref="TimeProvider"/>. A request to cancel ends the wait with 57014.</summary>
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
