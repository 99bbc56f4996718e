using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace ReplicaRouter;

/// <summary>Creates the strategy that the context's options ask for, and wraps one that retries in a <see cref="RoutedExecutionStrategy"/>.</summary>
internal sealed class RoutedExecutionStrategyFactory(ExecutionStrategyDependencies dependencies) : NpgsqlExecutionStrategyFactory(dependencies)
{
    public override IExecutionStrategy Create() => base.Create() is var strategy && strategy.RetriesOnFailure ? new RoutedExecutionStrategy(strategy) : strategy;
}
