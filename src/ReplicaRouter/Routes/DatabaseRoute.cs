namespace ReplicaRouter;

/// <summary>The route of an operation: one of the five <see cref="DatabaseOperation"/>s or a named route of the options.</summary>
/// <remarks>Both convert implicitly: <c>router.GetClient(DatabaseOperation.Read)</c> or <c>router.GetClient("search")</c>.</remarks>
public readonly record struct DatabaseRoute
{
    private static readonly string[] s_names = [.. Enum.GetNames<DatabaseOperation>().Select(name => name.ToLowerInvariant())];

    private readonly DatabaseOperation _operation;
    private readonly string? _name;

    private DatabaseRoute(DatabaseOperation operation, string? name) => (_operation, _name) = (operation, name);

    /// <summary>The built-in operation, or <see langword="null"/> for a named route.</summary>
    public DatabaseOperation? BuiltIn => _name is null ? _operation : null;

    /// <summary>The route's name in options and metrics: <c>write</c>, <c>read</c>, <c>search</c>.</summary>
    public string Name => _name ?? NameOf(_operation);

    /// <summary>Returns the route of a built-in operation.</summary>
    public static implicit operator DatabaseRoute(DatabaseOperation operation) => FromDatabaseOperation(operation);

    /// <summary>Returns the route with that name: a built-in one (<c>"read"</c>) or one that the options define.</summary>
    public static implicit operator DatabaseRoute(string name) => FromString(name);

    /// <summary>Returns the route of a built-in operation.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the five operations.</exception>
    public static DatabaseRoute FromDatabaseOperation(DatabaseOperation operation) => (uint)operation < s_names.Length
        ? new DatabaseRoute(operation, null)
        : throw new ArgumentOutOfRangeException(nameof(operation), operation, "Not one of the five database operations.");

    /// <summary>Returns the route with that name.</summary>
    /// <exception cref="ArgumentException">The name is empty or blank.</exception>
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
