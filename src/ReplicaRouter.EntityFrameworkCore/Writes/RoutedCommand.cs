using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

/// <summary>A command that opens its connection before EF creates the <c>DbCommand</c>.</summary>
/// <remarks>For commands without a reader, EF creates the <c>DbCommand</c> first and binds it to the current connection; the router then opens a different one.</remarks>
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
