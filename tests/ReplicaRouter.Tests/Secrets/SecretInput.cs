namespace ReplicaRouter.Tests.Secrets;

/// <summary>One input of the fuzz test, containing the mark.</summary>
/// <param name="Kind">What the text is.</param>
/// <param name="Text">The connection string, the text of the <c>.env</c> file, or the value.</param>
/// <param name="Key">The configuration key of a value.</param>
/// <param name="IsPassword">Whether the mark is in the place of a password. Elsewhere, for example in a host name, output can show it.</param>
internal sealed record SecretInput(SecretInputKind Kind, string Text, string? Key = null, bool IsPassword = false);

/// <summary>The kind of an input.</summary>
internal enum SecretInputKind
{
    ConnectionString,
    DotEnv,
    Value,
}
