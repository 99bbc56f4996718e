namespace ReplicaRouter.PatroniTests;

/// <summary>A write that a server acknowledged.</summary>
internal sealed record Acknowledgement(string Token, int Port, TimeSpan At);
