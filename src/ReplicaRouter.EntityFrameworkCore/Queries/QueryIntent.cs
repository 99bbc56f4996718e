using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.Internal;

namespace ReplicaRouter;

/// <summary>What a query states about its route, by its operators. The text of its SQL is never examined.</summary>
internal sealed record QueryIntent
{
    public static readonly QueryIntent None = new();

    /// <summary>The stated route; null for none.</summary>
    public DatabaseRoute? Route { get; init; }

    /// <summary>What the query requires of its route, if that is the same for each execution.</summary>
    public OperationOptions? Options { get; init; }

    /// <summary>The query parameter that holds what the query requires of its route.</summary>
    public string? OptionsParameter { get; init; }

    /// <summary>Whether the query contains hand-written SQL, which can do anything.</summary>
    public bool UsesSql { get; init; }

    /// <summary>Whether the query is an <c>ExecuteUpdate</c> or <c>ExecuteDelete</c>.</summary>
    public bool Writes { get; init; }

    /// <summary>Reads the intent of a query, and removes the operators that state it, which have no meaning in SQL.</summary>
    public static (QueryIntent Intent, Expression Query) Of(Expression query)
    {
        var reader = new Reader();
        var remainder = reader.Visit(query);
        var intent = reader.Intent with { Writes = query is MethodCallExpression call && IsBulkWrite(call) };
        return (intent == None ? None : intent, remainder);
    }

    private static bool IsBulkWrite(MethodCallExpression call) =>
        call.Method.Name is nameof(EntityFrameworkQueryableExtensions.ExecuteUpdate) or nameof(EntityFrameworkQueryableExtensions.ExecuteDelete)
        && call.Method.DeclaringType == typeof(EntityFrameworkQueryableExtensions);

    private sealed class Reader : ExpressionVisitor
    {
        public QueryIntent Intent { get; private set; } = None;

        protected override Expression VisitMethodCall(MethodCallExpression node)
        {
            if (!node.Method.IsGenericMethod || node.Method.DeclaringType != typeof(RoutedQueryableExtensions)) return base.VisitMethodCall(node);
            // Visits from the outside in: the first route found is the last one stated.
            if (Intent.Route is null) Intent = Stated(node);
            return Visit(node.Arguments[0]);
        }

        protected override Expression VisitExtension(Expression node)
        {
            if (node is FromSqlQueryRootExpression or SqlQueryRootExpression) Intent = Intent with { UsesSql = true };
            return base.VisitExtension(node);
        }

        private QueryIntent Stated(MethodCallExpression node)
        {
            var method = node.Method.GetGenericMethodDefinition();
            if (method == RoutedQueryableExtensions.FromPrimaryMethod) return Intent with { Route = DatabaseOperation.Write };
            var intent = Intent with { Route = (DatabaseRoute)((ConstantExpression)node.Arguments[1]).Value! };
            return node.Arguments[2] is QueryParameterExpression parameter
                ? intent with { OptionsParameter = parameter.Name }
                : intent with { Options = (OperationOptions?)((ConstantExpression)node.Arguments[2]).Value };
        }
    }
}
