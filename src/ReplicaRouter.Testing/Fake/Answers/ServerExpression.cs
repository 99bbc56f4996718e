namespace ReplicaRouter.Testing.Fake;

/// <summary>A column of a question about the server.</summary>
/// <param name="Text">What no other column has.</param>
/// <param name="Type">The type of the values.</param>
/// <param name="Value">The answer of a server, to one of its connections.</param>
/// <param name="IsPrimaryOnly">Whether a standby answers with an error.</param>
internal sealed record ServerExpression(string Text, Type Type, Func<FakeServerState, FakeConnection, object?> Value, bool IsPrimaryOnly = false);
