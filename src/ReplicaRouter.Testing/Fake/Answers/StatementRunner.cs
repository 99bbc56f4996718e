using System.Globalization;

namespace ReplicaRouter.Testing.Fake;

/// <summary>Finds the answer to a statement and sends it, with all that may go wrong.</summary>
internal sealed class StatementRunner(FakeConnection connection, SessionTransaction transaction, MessageWriter writer)
{
    private static readonly FakeError s_cancelled = new("ERROR", "57014", "canceling statement due to user request");

    /// <summary>A statement begins, or is prepared.</summary>
    /// <returns>What to answer: the first of what the test says, what the server knows of itself, and what a server without tables would say.</returns>
    public FakeAnswer Begin(FakeStatement statement)
    {
        if (!statement.IsPreparation)
        {
            connection.BeginStatement();
            connection.Server.Note(statement);
        }

        var word = SqlText.FirstWord(statement.Sql);
        if (transaction.Refuses(word)) return FakeAnswer.Error("25P02", "current transaction is aborted, commands ignored until end of transaction block");
        return connection.Server.Scripted(statement) ?? ServerQuestions.Answer(statement, connection) ?? Default(statement, word);
    }

    /// <summary>Sends an answer. Its columns have been described, if the client has asked for that.</summary>
    /// <returns>Whether the statement succeeded.</returns>
    /// <exception cref="ConnectionFaultException">The connection is to end.</exception>
    public async Task<bool> RunAsync(FakeStatement statement, FakeAnswer answer, ResultFormats formats)
    {
        if (answer.Delay > TimeSpan.Zero && !await connection.PauseAsync(answer.Delay, heedsCancel: true).ConfigureAwait(false)) return Fail(s_cancelled);
        if (answer.Failure is { } error)
        {
            Fail(error);
            await EndByAsync(error.IsFatal ? FakeFault.Close : answer.Fault).ConfigureAwait(false);
            return false;
        }

        var tag = answer.IsCarriedOut ? CarryOut(statement, answer, formats) : "";
        if (!await EndByAsync(answer.Fault).ConfigureAwait(false)) return Fail(s_cancelled);
        writer.CommandComplete(tag);
        return true;
    }

    /// <summary>The same for a login. The default of a login is that it succeeds.</summary>
    public async Task RefuseAsync(FakeAnswer answer)
    {
        if (answer.Delay > TimeSpan.Zero) await connection.PauseAsync(answer.Delay, heedsCancel: false).ConfigureAwait(false);
        if (answer.Failure is { } error) writer.Error(error with { Severity = "FATAL" });
        await EndByAsync(answer.Failure is null ? answer.Fault : FakeFault.Close).ConfigureAwait(false);
    }

    /// <returns>False, so that it can be returned.</returns>
    public bool Fail(FakeError error)
    {
        transaction.Fail();
        writer.Error(error);
        return false;
    }

    private string CarryOut(FakeStatement statement, FakeAnswer answer, ResultFormats formats)
    {
        var word = SqlText.FirstWord(statement.Sql);
        var tag = transaction.CarryOut(word, statement.Sql);
        foreach (var row in answer.Rows) writer.DataRow(answer.Columns!, row, formats);
        return answer.CommandTag ?? (answer.Columns is null ? tag : TagOf(word, answer.Rows.Count));
    }

    /// <returns>Whether the statement goes on: there is no fault. It has been cancelled, otherwise.</returns>
    private async Task<bool> EndByAsync(FakeFault? fault)
    {
        switch (fault)
        {
            case null:
                return true;
            case FakeFault.Hang or FakeFault.Silence:
                return await connection.PauseAsync(Timeout.InfiniteTimeSpan, heedsCancel: fault == FakeFault.Hang).ConfigureAwait(false);
            default:
                await connection.FlushAsync().ConfigureAwait(false);
                throw new ConnectionFaultException(isReset: fault == FakeFault.Reset);
        }
    }

    private FakeAnswer Default(FakeStatement statement, string word)
    {
        if (SessionTransaction.IsWrite(word) && connection.Server.State is { IsStandby: true } or { IsReadOnly: true })
            return FakeAnswer.Error("25006", $"cannot execute {word} in a read-only transaction");
        return SqlText.Columns(statement.Sql) is [var only] && int.TryParse(only, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? FakeAnswer.Row(number) : FakeAnswer.Done;
    }

    private static string TagOf(string word, int rows) => word switch
    {
        "INSERT" => $"INSERT 0 {rows}",
        "UPDATE" or "DELETE" or "MERGE" => $"{word} {rows}",
        _ => $"SELECT {rows}",
    };
}
