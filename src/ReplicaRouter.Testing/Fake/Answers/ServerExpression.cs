namespace ReplicaRouter.Testing.Fake;

/// <summary>A column of a query of the server's state.</summary>
/// <param name="Text">A text that identifies the column.</param>
/// <param name="Type">The type of the values.</param>
/// <param name="Value">Returns the value for one of the server's connections.</param>
/// <param name="IsPrimaryOnly">Whether a standby answers with an error.</param>
internal sealed record ServerExpression(string Text, Type Type, Func<FakeServerState, FakeConnection, object?> Value, bool IsPrimaryOnly = false);
