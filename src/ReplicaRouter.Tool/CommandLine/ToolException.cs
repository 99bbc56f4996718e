namespace ReplicaRouter.Tool.CommandLine;

/// <summary>The command can't do what it was asked for. The message is all that the user gets to see.</summary>
internal sealed class ToolException(string message) : Exception(message);
