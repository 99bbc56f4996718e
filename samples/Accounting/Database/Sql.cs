using System.Data.Common;
using Dapper;

namespace Accounting.Database;

/// <summary>The parts of Dapper that the services need: parameters, cancellation, and <see cref="ServedBy"/>.</summary>
internal static class Sql
{
    // Sent in the same round trip as the statement, so the same server answers both.
    private const string ServerPort = "\n; SELECT coalesce(inet_server_port(), 0)";

    static Sql() => DefaultTypeMap.MatchNamesWithUnderscores = true;

    public static async Task<IReadOnlyList<T>> QueryAsync<T>(
        this DbConnection connection, string sql, object? parameters, CancellationToken cancellationToken)
    {
        if (ServedBy.Current is not { } servedBy)
            return (await connection.QueryAsync<T>(new CommandDefinition(sql, parameters, cancellationToken: cancellationToken))).AsList();

        var command = new CommandDefinition(sql + ServerPort, parameters, cancellationToken: cancellationToken);
        await using var answers = await connection.QueryMultipleAsync(command);
        var rows = (await answers.ReadAsync<T>()).AsList();
        servedBy.Add(await answers.ReadSingleAsync<int>());
        return rows;
    }

    /// <summary>Returns the only row, or <see langword="null"/>.</summary>
    public static async Task<T?> QueryOneAsync<T>(
        this DbConnection connection, string sql, object? parameters, CancellationToken cancellationToken) where T : class =>
        (await connection.QueryAsync<T>(sql, parameters, cancellationToken)).SingleOrDefault();
}
