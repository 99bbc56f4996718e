namespace ReplicaRouter.Testing.Fake;

internal sealed record FakeColumn(string Name, PgType Type);
