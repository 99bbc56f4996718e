namespace ReplicaRouter.Tests.Secrets;

/// <summary>One input of the fuzz test, which holds the mark.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">The connection string, the text of the <c>.env</c> file, or the value.</param>
/// <param name="Key">The configuration key of a value.</param>
/// <param name="IsPassword">Whether the mark stands where a password belongs. Elsewhere a valid value may show it, as a host's name.</param>
internal sealed record SecretInput(SecretInputKind Kind, string Text, string? Key = null, bool IsPassword = false);

/// <summary>Where an input is read.</summary>
internal enum SecretInputKind
{
    ConnectionString,
    DotEnv,
    Value,
}
