using Microsoft.EntityFrameworkCore.Query;

namespace ReplicaRouter;

internal sealed class RoutedQueryContextFactory(QueryContextDependencies dependencies, RelationalQueryContextDependencies relationalDependencies) : IQueryContextFactory
{
    public QueryContext Create() => new RoutedQueryContext(dependencies, relationalDependencies);
}
