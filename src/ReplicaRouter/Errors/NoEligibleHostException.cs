using Npgsql;

namespace ReplicaRouter;

/// <summary>No host may serve an operation, and none came in time. Transient: a retry strategy may try again.</summary>
public class NoEligibleHostException : NpgsqlException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="route">The route's name.</param>
    /// <param name="rejections">Every host and why it could not serve.</param>
    /// <param name="innerException">The last failure that the operation met, if it met one.</param>
    public NoEligibleHostException(string route, IReadOnlyList<HostRejection> rejections, Exception? innerException = null)
        : base($"No host may serve '{route}'. {string.Join("; ", rejections.Select(r => $"{r.Host}: {r.Reason.TrimEnd('.')}"))}.", innerException)
    {
        Route = route;
        Rejections = rejections;
    }

    /// <summary>The route's name.</summary>
    public string Route { get; }

    /// <summary>Every host and why it could not serve.</summary>
    public IReadOnlyList<HostRejection> Rejections { get; }

    /// <inheritdoc />
    public override bool IsTransient => true;
}
