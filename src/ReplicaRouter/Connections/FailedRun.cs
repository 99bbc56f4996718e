namespace ReplicaRouter;

/// <summary>A read that met an error which its host alone may have, and is run once more on another one.</summary>
internal sealed record FailedRun(HostPool Pool, Npgsql.PostgresException Error);
