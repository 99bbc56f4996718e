using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore.Query;
using ReplicaRouter;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Says where a query goes.</summary>
public static class RoutedQueryableExtensions
{
    internal static readonly MethodInfo RouteToMethod = Method(nameof(RouteTo));
    internal static readonly MethodInfo FromPrimaryMethod = Method(nameof(FromPrimary));

    /// <summary>
    /// Has the query go by a route, whatever was stated around it. Inside a transaction, and on a context that is bound to a route, it stays there
    /// all the same. Where a query is given several routes, the last one counts.
    /// </summary>
    /// <param name="source">The query.</param>
    /// <param name="route">An operation or the name of a route.</param>
    /// <param name="options">What the query asks of the route. Its retries are those of the context, not of <see cref="OperationOptions.AllowRetry"/> and <see cref="OperationOptions.AllowHedging"/>.</param>
    /// <returns>The query with its route.</returns>
    public static IQueryable<T> RouteTo<T>(this IQueryable<T> source, [NotParameterized] DatabaseRoute route, OperationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        return With(source, RouteToMethod, Expression.Constant(route), options is null
            ? Expression.Constant(null, typeof(OperationOptions))
            // As a variable's value it is a parameter: the query is compiled once for all of them.
            : Expression.Field(Expression.Constant(new StrongBox<OperationOptions>(options)), nameof(StrongBox<>.Value)));
    }

    /// <summary>Has the query go to the primary: it sees all that was committed before it, and may call what writes.</summary>
    /// <param name="source">The query.</param>
    /// <returns>The query with its route.</returns>
    public static IQueryable<T> FromPrimary<T>(this IQueryable<T> source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return With(source, FromPrimaryMethod);
    }

    private static IQueryable<T> With<T>(IQueryable<T> source, MethodInfo method, params Expression[] arguments) =>
        // Collections that stand in for a context in tests have nowhere to go.
        source.Provider is IAsyncQueryProvider provider
            ? provider.CreateQuery<T>(Expression.Call(method.MakeGenericMethod(typeof(T)), [source.Expression, .. arguments]))
            : source;

    private static MethodInfo Method(string name) => typeof(RoutedQueryableExtensions).GetMethod(name)!;
}
