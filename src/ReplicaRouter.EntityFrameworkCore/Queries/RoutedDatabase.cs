using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

/// <summary>Compiles queries. Those with an intent pass it to their query context before each execution.</summary>
internal sealed class RoutedDatabase(DatabaseDependencies dependencies, RelationalDatabaseDependencies relationalDependencies) : RelationalDatabase(dependencies, relationalDependencies)
{
    public override Func<QueryContext, TResult> CompileQuery<TResult>(Expression query, bool async)
    {
        var (intent, remainder) = QueryIntent.Of(query);
        var execute = base.CompileQuery<TResult>(remainder, async);
        return ReferenceEquals(intent, QueryIntent.None) ? execute : Stated(intent, execute);
    }

    // EF caches the delegate for all contexts: it must not capture this one.
    private static Func<QueryContext, TResult> Stated<TResult>(QueryIntent intent, Func<QueryContext, TResult> execute) => context =>
    {
        ((RoutedQueryContext)context).Intent = intent;
        return execute(context);
    };
}
