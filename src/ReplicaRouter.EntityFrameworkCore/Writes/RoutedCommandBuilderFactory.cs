using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

internal sealed class RoutedCommandBuilderFactory(RelationalCommandBuilderDependencies dependencies) : IRelationalCommandBuilderFactory
{
    public IRelationalCommandBuilder Create() => new Builder(dependencies);

    /// <summary>Builds the empty commands that a connection lends to its queries, which fill them. All connections share it.</summary>
    public IRelationalCommandBuilderFactory Lent { get; } = new LentFactory(dependencies);

    private sealed class LentFactory(RelationalCommandBuilderDependencies dependencies) : IRelationalCommandBuilderFactory
    {
        private readonly EmptyBuilder _builder = new(dependencies);

        public IRelationalCommandBuilder Create() => _builder;
    }

    private sealed class EmptyBuilder(RelationalCommandBuilderDependencies dependencies) : RelationalCommandBuilder(dependencies)
    {
        public override IRelationalCommand Build() => new RoutedCommand(Dependencies);
    }

    private sealed class Builder(RelationalCommandBuilderDependencies dependencies) : RelationalCommandBuilder(dependencies)
    {
        public override IRelationalCommand Build()
        {
            var command = new RoutedCommand(Dependencies);
            command.PopulateFrom(base.Build());
            return command;
        }
    }
}
