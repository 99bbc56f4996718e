using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

/// <summary>A command whose connection is open before it is created.</summary>
/// <remarks>Where no reader is asked for, EF creates the command first, and binds it to the connection of that moment: the one that the router then opens is another.</remarks>
internal sealed class RoutedCommand(RelationalCommandBuilderDependencies dependencies) : RelationalCommand(dependencies, "", "", [])
{
    public override int ExecuteNonQuery(RelationalCommandParameterObject parameterObject)
    {
        using var write = Write.Begin(parameterObject.Connection);
        try
        {
            return base.ExecuteNonQuery(parameterObject);
        }
        catch (Exception e) when (write.IsOutcomeUnknown(e))
        {
            throw write.OutcomeUnknown(e);
        }
    }

    public override async Task<int> ExecuteNonQueryAsync(RelationalCommandParameterObject parameterObject, CancellationToken cancellationToken = default)
    {
        var write = await Write.BeginAsync(parameterObject.Connection, cancellationToken).ConfigureAwait(false);
        await using var _ = write.ConfigureAwait(false);
        try
        {
            return await base.ExecuteNonQueryAsync(parameterObject, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (write.IsOutcomeUnknown(e))
        {
            throw write.OutcomeUnknown(e);
        }
    }

    public override object? ExecuteScalar(RelationalCommandParameterObject parameterObject)
    {
        using var write = Write.Begin(parameterObject.Connection);
        try
        {
            return base.ExecuteScalar(parameterObject);
        }
        catch (Exception e) when (write.IsOutcomeUnknown(e))
        {
            throw write.OutcomeUnknown(e);
        }
    }

    public override async Task<object?> ExecuteScalarAsync(RelationalCommandParameterObject parameterObject, CancellationToken cancellationToken = default)
    {
        var write = await Write.BeginAsync(parameterObject.Connection, cancellationToken).ConfigureAwait(false);
        await using var _ = write.ConfigureAwait(false);
        try
        {
            return await base.ExecuteScalarAsync(parameterObject, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (write.IsOutcomeUnknown(e))
        {
            throw write.OutcomeUnknown(e);
        }
    }
}
