using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

/// <summary>One execution of a query. EF reads its connection right before opening it, again at each attempt.</summary>
internal sealed class RoutedQueryContext(QueryContextDependencies dependencies, RelationalQueryContextDependencies relationalDependencies)
    : RelationalQueryContext(dependencies, relationalDependencies)
{
    public QueryIntent Intent { get; set; } = QueryIntent.None;

    public override IRelationalConnection Connection => ((ContextConnection)base.Connection).For(Intent, Options);

    // Hand-written SQL may have written something: it must not simply be retried.
    public override IExecutionStrategy ExecutionStrategy => Intent.UsesSql && Connection is ContextConnection { MayWrite: true } connection
        ? new WritingQueryStrategy(base.ExecutionStrategy, connection)
        : base.ExecutionStrategy;

    private OperationOptions? Options => Intent.OptionsParameter is { } name ? (OperationOptions)Parameters[name]! : Intent.Options;
}
