namespace ReplicaRouter;

/// <summary>Where an operation is to go: one of the five <see cref="DatabaseOperation"/>s or a named route of the options.</summary>
/// <remarks>Both convert implicitly, so callers write <c>router.GetClient(DatabaseOperation.Read)</c> or <c>router.GetClient("search")</c>.</remarks>
public readonly record struct DatabaseRoute
{
    private static readonly DatabaseOperation[] Operations = Enum.GetValues<DatabaseOperation>();

    private readonly string? _name;

    private DatabaseRoute(DatabaseOperation operation, string? name)
    {
        Operation = operation;
        _name = name;
    }

    /// <summary>The built-in operation, or <see langword="null"/> for a named route.</summary>
    public DatabaseOperation? BuiltIn => _name is null ? Operation : null;

    /// <summary>The name under which the options and metrics know the route: <c>write</c>, <c>read</c>, <c>search</c>.</summary>
    public string Name => _name ?? NameOf(Operation);

    internal DatabaseOperation Operation { get; }

    /// <summary>The route of a built-in operation.</summary>
    public static implicit operator DatabaseRoute(DatabaseOperation operation) => FromDatabaseOperation(operation);

    /// <summary>The route of that name: a built-in one (<c>"read"</c>) or one that the options define.</summary>
    public static implicit operator DatabaseRoute(string name) => FromString(name);

    /// <summary>The route of a built-in operation.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the five.</exception>
    public static DatabaseRoute FromDatabaseOperation(DatabaseOperation operation) => (uint)operation < Operations.Length
        ? new DatabaseRoute(operation, null)
        : throw new ArgumentOutOfRangeException(nameof(operation), operation, "Not one of the five database operations.");

    /// <summary>The route of that name.</summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static DatabaseRoute FromString(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        foreach (var operation in Operations)
        {
            if (string.Equals(NameOf(operation), name, StringComparison.OrdinalIgnoreCase)) return new DatabaseRoute(operation, null);
        }

        return new DatabaseRoute(default, name);
    }

    /// <inheritdoc />
    public override string ToString() => Name;

    internal static string NameOf(DatabaseOperation operation) => operation switch
    {
        DatabaseOperation.Write => "write",
        DatabaseOperation.Transactional => "transactional",
        DatabaseOperation.Read => "read",
        DatabaseOperation.Analytics => "analytics",
        DatabaseOperation.Background => "background",
        _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, null),
    };
}
