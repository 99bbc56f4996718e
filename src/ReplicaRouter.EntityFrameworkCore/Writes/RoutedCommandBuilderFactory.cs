using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

internal sealed class RoutedCommandBuilderFactory(RelationalCommandBuilderDependencies dependencies) : IRelationalCommandBuilderFactory
{
    public IRelationalCommandBuilder Create() => new Builder(dependencies);

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
