namespace ReplicaRouter.Testing;

/// <summary>A statement that a client sent to a <see cref="FakeServer"/>.</summary>
public sealed class FakeStatement
{
    internal FakeStatement(int connectionId, string sql, IReadOnlyList<object?> parameters, bool isPreparation = false) =>
        (ConnectionId, Sql, Parameters, IsPreparation) = (connectionId, sql, parameters, isPreparation);

    /// <summary>The connection that it came over: Npgsql's <c>NpgsqlConnection.ProcessID</c>.</summary>
    public int ConnectionId { get; }

    /// <summary>The SQL, as the client sent it, without white space at its ends and without the semicolon.</summary>
    public string Sql { get; }

    /// <summary>
    /// The parameters in order: numbers, texts, booleans, times, UUIDs and LSNs as Npgsql reads them, those of other types as the bytes that came.
    /// </summary>
    public IReadOnlyList<object?> Parameters { get; }

    /// <summary>
    /// Whether the client only prepares the statement and asks for its columns. Of the answer only these count; there are no parameters, and all are null. Such a
    /// statement is not among <see cref="FakeServer.Statements"/>.
    /// </summary>
    public bool IsPreparation { get; }

    /// <summary>The SQL.</summary>
    public override string ToString() => Sql;
}
