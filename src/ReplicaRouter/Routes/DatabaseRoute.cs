namespace ReplicaRouter;

/// <summary>Where an operation is to go: one of the five <see cref="DatabaseOperation"/>s or a named route of the options.</summary>
/// <remarks>Both convert implicitly, so callers write <c>router.GetClient(DatabaseOperation.Read)</c> or <c>router.GetClient("search")</c>.</remarks>
public readonly record struct DatabaseRoute
{
    private static readonly string[] s_names = [.. Enum.GetNames<DatabaseOperation>().Select(name => name.ToLowerInvariant())];

    private readonly DatabaseOperation _operation;
    private readonly string? _name;

    private DatabaseRoute(DatabaseOperation operation, string? name) => (_operation, _name) = (operation, name);

    /// <summary>The built-in operation, or <see langword="null"/> for a named route.</summary>
    public DatabaseOperation? BuiltIn => _name is null ? _operation : null;

    /// <summary>The name under which the options and metrics know the route: <c>write</c>, <c>read</c>, <c>search</c>.</summary>
    public string Name => _name ?? NameOf(_operation);

    /// <summary>The route of a built-in operation.</summary>
    public static implicit operator DatabaseRoute(DatabaseOperation operation) => FromDatabaseOperation(operation);

    /// <summary>The route of that name: a built-in one (<c>"read"</c>) or one that the options define.</summary>
    public static implicit operator DatabaseRoute(string name) => FromString(name);

    /// <summary>The route of a built-in operation.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the five.</exception>
    public static DatabaseRoute FromDatabaseOperation(DatabaseOperation operation) => (uint)operation < s_names.Length
        ? new DatabaseRoute(operation, null)
        : throw new ArgumentOutOfRangeException(nameof(operation), operation, "Not one of the five database operations.");

    /// <summary>The route of that name.</summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static DatabaseRoute FromString(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        for (var operation = 0; operation < s_names.Length; operation++)
        {
            if (s_names[operation].Equals(name, StringComparison.OrdinalIgnoreCase)) return new DatabaseRoute((DatabaseOperation)operation, null);
        }

        return new DatabaseRoute(default, name);
    }

    /// <inheritdoc />
    public override string ToString() => Name;

    internal static string NameOf(DatabaseOperation operation) => s_names[(int)operation];
}
