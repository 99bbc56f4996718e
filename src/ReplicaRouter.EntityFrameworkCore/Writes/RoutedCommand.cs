using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

/// <summary>A command whose connection is open before it is created.</summary>
/// <remarks>Where no reader is asked for, EF creates the command first, and binds it to the connection of that moment: the one that the router then opens is another.</remarks>
internal sealed class RoutedCommand(RelationalCommandBuilderDependencies dependencies) : RelationalCommand(dependencies, "", "", [])
{
    public override int ExecuteNonQuery(RelationalCommandParameterObject parameterObject) =>
        Write.Run(parameterObject.Connection, () => base.ExecuteNonQuery(parameterObject));

    public override Task<int> ExecuteNonQueryAsync(RelationalCommandParameterObject parameterObject, CancellationToken cancellationToken = default) =>
        Write.RunAsync(parameterObject.Connection, () => base.ExecuteNonQueryAsync(parameterObject, cancellationToken), cancellationToken);

    public override object? ExecuteScalar(RelationalCommandParameterObject parameterObject) =>
        Write.Run(parameterObject.Connection, () => base.ExecuteScalar(parameterObject));

    public override Task<object?> ExecuteScalarAsync(RelationalCommandParameterObject parameterObject, CancellationToken cancellationToken = default) =>
        Write.RunAsync(parameterObject.Connection, () => base.ExecuteScalarAsync(parameterObject, cancellationToken), cancellationToken);
}
