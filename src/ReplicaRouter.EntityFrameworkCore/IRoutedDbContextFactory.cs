using Microsoft.EntityFrameworkCore;

namespace ReplicaRouter;

/// <summary>Creates contexts that do all their work by one route.</summary>
/// <typeparam name="TContext">The context, registered by <c>AddRoutedDbContext</c> or <c>AddRoutedDbContextPool</c>.</typeparam>
public interface IRoutedDbContextFactory<TContext> where TContext : DbContext
{
    /// <summary>
    /// Creates a context that is bound to a route: its queries, its transactions and its raw SQL go there, all of them. Unless the route writes, it does
    /// not track what it reads and refuses <c>SaveChanges</c>; other writes are refused by the server.
    /// </summary>
    /// <param name="route">An operation or the name of a route.</param>
    /// <param name="options">What the context asks for beyond its route, for all its work.</param>
    /// <returns>The context, to be disposed by the caller.</returns>
    /// <exception cref="ArgumentException">There is no route of that name.</exception>
    /// <exception cref="InvalidOperationException">The context's options lack <c>UseReplicaRouter</c>.</exception>
    TContext CreateDbContext(DatabaseRoute route, OperationOptions? options = null);
}
