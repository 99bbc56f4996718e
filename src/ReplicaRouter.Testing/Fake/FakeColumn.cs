namespace ReplicaRouter.Testing.Fake;

/// <summary>A column of an answer.</summary>
internal sealed record FakeColumn(string Name, PgType Type);
