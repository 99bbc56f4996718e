using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

/// <summary>One execution of a query: it asks for its connection right before it opens it, at each attempt anew.</summary>
internal sealed class RoutedQueryContext(QueryContextDependencies dependencies, RelationalQueryContextDependencies relationalDependencies)
    : RelationalQueryContext(dependencies, relationalDependencies)
{
    /// <summary>What the query says of its route.</summary>
    public QueryIntent Intent { get; set; } = QueryIntent.None;

    public override IRelationalConnection Connection => ((ContextConnection)base.Connection).For(Intent, Options);

    // SQL of the author's own may have written something: it is not simply tried again.
    public override IExecutionStrategy ExecutionStrategy => Intent.UsesSql && Connection is ContextConnection { MayWrite: true } connection
        ? new WritingQueryStrategy(base.ExecutionStrategy, connection)
        : base.ExecutionStrategy;

    private OperationOptions? Options => Intent.OptionsParameter is { } name ? (OperationOptions)Parameters[name]! : Intent.Options;
}
