namespace ReplicaRouter.Tool.CommandLine;

/// <summary>The command failed. The user sees only the message.</summary>
internal sealed class ToolException(string message) : Exception(message);
