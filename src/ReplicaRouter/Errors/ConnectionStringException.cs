namespace ReplicaRouter.Errors;

/// <summary>A value is not a usable connection string.</summary>
/// <param name="problem">
/// What is wrong, and how to fix it. It repeats no part of the value: if a password is not encoded, any part of the value can be part of the password.
/// </param>
internal sealed class ConnectionStringException(string problem) : Exception(problem);
