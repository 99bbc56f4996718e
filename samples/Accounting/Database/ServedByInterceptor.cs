using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Accounting.Database;

/// <summary><see cref="ServedBy"/> for the statements of Entity Framework: the same question in the same round trip.</summary>
internal sealed class ServedByInterceptor : DbCommandInterceptor
{
    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        if (ServedBy.Current is not null) command.CommandText += Sql.ServerPort;
        return new(result);
    }

    public override async ValueTask<InterceptionResult> DataReaderClosingAsync(DbCommand command, DataReaderClosingEventData eventData, InterceptionResult result)
    {
        if (ServedBy.Current is not { } servedBy) return result;
        var answers = eventData.DataReader;
        // A statement that returns no rows has no result to be skipped.
        while (answers.FieldCount != 1 || answers.GetName(0) != Sql.ServedByColumn)
        {
            if (!await answers.NextResultAsync()) return result;
        }

        if (await answers.ReadAsync()) servedBy.Add(answers.GetInt32(0));
        return result;
    }
}
