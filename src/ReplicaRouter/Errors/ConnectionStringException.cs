namespace ReplicaRouter.Errors;

/// <summary>A value is no usable connection string.</summary>
/// <param name="problem">
/// What is wrong and what would be right. It repeats no part of the value: where a password is not encoded, any part of the value may be a part of the password.
/// </param>
internal sealed class ConnectionStringException(string problem) : Exception(problem);
