using Microsoft.EntityFrameworkCore;

namespace ReplicaRouter;

/// <summary>Creates contexts that do all their work on one route.</summary>
/// <typeparam name="TContext">The context, registered by <c>AddRoutedDbContext</c> or <c>AddRoutedDbContextPool</c>.</typeparam>
public interface IRoutedDbContextFactory<TContext> where TContext : DbContext
{
    /// <summary>
    /// Creates a context that is bound to a route: all its queries, transactions and raw SQL go there. Unless the route writes, the context does not track
    /// what it reads and refuses <c>SaveChanges</c>; the server refuses other writes.
    /// </summary>
    /// <param name="route">An operation or the name of a route.</param>
    /// <param name="options">What the context requires beyond its route, for all its work.</param>
    /// <returns>The context, which the caller must dispose.</returns>
    /// <exception cref="ArgumentException">There is no route of that name.</exception>
    /// <exception cref="InvalidOperationException">The context's options lack <c>UseReplicaRouter</c>.</exception>
    TContext CreateDbContext(DatabaseRoute route, OperationOptions? options = null);
}
