using Npgsql;

namespace ReplicaRouter;

/// <summary>No host can serve an operation, and none became eligible in time. Transient: a later attempt can succeed.</summary>
public class NoEligibleHostException : NpgsqlException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="route">The route's name.</param>
    /// <param name="rejections">Every host, and why it could not serve.</param>
    /// <param name="innerException">The last failure of the operation, if any.</param>
    public NoEligibleHostException(string route, IReadOnlyList<HostRejection> rejections, Exception? innerException = null)
        : base($"No host can serve '{route}'. {string.Join("; ", rejections.Select(r => $"{r.Host}: {r.Reason.TrimEnd('.')}"))}.", innerException)
    {
        Route = route;
        Rejections = rejections;
    }

    /// <summary>The route's name.</summary>
    public string Route { get; }

    /// <summary>Every host, and why it could not serve.</summary>
    public IReadOnlyList<HostRejection> Rejections { get; }

    /// <inheritdoc />
    public override bool IsTransient => true;
}
