namespace ReplicaRouter.Testing;

/// <summary>A statement that a client sent to a <see cref="FakeServer"/>.</summary>
public sealed class FakeStatement
{
    internal FakeStatement(int connectionId, string sql, IReadOnlyList<object?> parameters, bool isPreparation = false) =>
        (ConnectionId, Sql, Parameters, IsPreparation) = (connectionId, sql, parameters, isPreparation);

    /// <summary>The connection that sent the statement: Npgsql's <c>NpgsqlConnection.ProcessID</c>.</summary>
    public int ConnectionId { get; }

    /// <summary>The SQL as the client sent it, trimmed and without the final semicolon.</summary>
    public string Sql { get; }

    /// <summary>
    /// The parameters in order. Numbers, texts, booleans, times, UUIDs and LSNs are as Npgsql reads them; other types are the bytes that the client sent.
    /// </summary>
    public IReadOnlyList<object?> Parameters { get; }

    /// <summary>
    /// Whether the client only prepares the statement and asks for its columns. Only the columns of the answer matter; there are no parameter values, so all are
    /// null. <see cref="FakeServer.Statements"/> does not contain such statements.
    /// </summary>
    public bool IsPreparation { get; }

    /// <summary>The SQL.</summary>
    public override string ToString() => Sql;
}
