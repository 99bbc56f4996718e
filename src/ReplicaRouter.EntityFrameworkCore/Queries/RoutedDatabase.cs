using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

/// <summary>Compiles queries, and has those that say something of their route say it to their context before they run.</summary>
internal sealed class RoutedDatabase(DatabaseDependencies dependencies, RelationalDatabaseDependencies relationalDependencies) : RelationalDatabase(dependencies, relationalDependencies)
{
    public override Func<QueryContext, TResult> CompileQuery<TResult>(Expression query, bool async)
    {
        var (intent, remainder) = QueryIntent.Of(query);
        var execute = base.CompileQuery<TResult>(remainder, async);
        return ReferenceEquals(intent, QueryIntent.None) ? execute : Stated(intent, execute);
    }

    // Kept for all contexts: it must not hold on to this one.
    private static Func<QueryContext, TResult> Stated<TResult>(QueryIntent intent, Func<QueryContext, TResult> execute) => context =>
    {
        ((RoutedQueryContext)context).Intent = intent;
        return execute(context);
    };
}
