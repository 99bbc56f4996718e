using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore.Query;
using ReplicaRouter;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Sets the route of queries.</summary>
public static class RoutedQueryableExtensions
{
    internal static readonly MethodInfo RouteToMethod = Method(nameof(RouteTo));
    internal static readonly MethodInfo FromPrimaryMethod = Method(nameof(FromPrimary));

    /// <summary>
    /// Sends the query to a route, overriding any ambient route. Inside a transaction, or on a context that is bound to a route, the query stays there
    /// nevertheless. If a query states several routes, the last one applies.
    /// </summary>
    /// <param name="source">The query.</param>
    /// <param name="route">An operation or the name of a route.</param>
    /// <param name="options">What the query requires of the route. The context's strategy decides on retries; <see cref="OperationOptions.AllowRetry"/> and
    /// <see cref="OperationOptions.AllowHedging"/> have no effect.</param>
    /// <returns>The query with its route.</returns>
    public static IQueryable<T> RouteTo<T>(this IQueryable<T> source, [NotParameterized] DatabaseRoute route, OperationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        return With(source, RouteToMethod, Expression.Constant(route), options is null
            ? Expression.Constant(null, typeof(OperationOptions))
            // Captured like a local variable, it becomes a query parameter: the query is compiled once for all values.
            : Expression.Field(Expression.Constant(new StrongBox<OperationOptions>(options)), nameof(StrongBox<>.Value)));
    }

    /// <summary>Sends the query to the primary: it sees everything committed before it, and can call functions that write.</summary>
    /// <param name="source">The query.</param>
    /// <returns>The query with its route.</returns>
    public static IQueryable<T> FromPrimary<T>(this IQueryable<T> source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return With(source, FromPrimaryMethod);
    }

    private static IQueryable<T> With<T>(IQueryable<T> source, MethodInfo method, params Expression[] arguments) =>
        // In-memory collections that replace a context in tests have no route.
        source.Provider is IAsyncQueryProvider provider
            ? provider.CreateQuery<T>(Expression.Call(method.MakeGenericMethod(typeof(T)), [source.Expression, .. arguments]))
            : source;

    private static MethodInfo Method(string name) => typeof(RoutedQueryableExtensions).GetMethod(name)!;
}
