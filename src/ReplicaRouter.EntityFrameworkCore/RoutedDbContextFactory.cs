using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

internal sealed class RoutedDbContextFactory<TContext>(IDbContextFactory<TContext> factory) : IRoutedDbContextFactory<TContext> where TContext : DbContext
{
    public TContext CreateDbContext(DatabaseRoute route, OperationOptions? options = null)
    {
        var context = factory.CreateDbContext();
        try
        {
            return Bound(context, route, options);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    private static TContext Bound(TContext context, DatabaseRoute route, OperationOptions? options)
    {
        if (context.GetService<IRelationalConnection>() is not ContextConnection connection)
            throw new InvalidOperationException($"{typeof(TContext).Name} does not use the router. Call UseReplicaRouter in its options, and configure no other provider after it.");
        connection.Bind(route, options);
        if (connection.MayWrite) return context;
        context.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
        context.SavingChanges += (_, _) => throw new InvalidOperationException(
            $"This {typeof(TContext).Name} was created for the route '{route.Name}', which only reads: it can't save. Inject {typeof(TContext).Name}, or create one for DatabaseOperation.Write.");
        return context;
    }
}
