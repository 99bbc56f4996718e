using System.Data.Common;
using Dapper;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Accounting.Database;

/// <summary><see cref="ServedBy"/> for Entity Framework, which opens a connection for each statement outside a transaction. Queries the port when a connection is opened.</summary>
internal sealed class ServedByInterceptor : DbConnectionInterceptor
{
    public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        if (ServedBy.Current is not { } servedBy) return;
        servedBy.Add(await connection.ExecuteScalarAsync<int>(new CommandDefinition("SELECT coalesce(inet_server_port(), 0)", cancellationToken: cancellationToken)));
    }
}
