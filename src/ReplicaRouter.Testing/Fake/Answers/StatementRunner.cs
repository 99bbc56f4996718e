using System.Globalization;

namespace ReplicaRouter.Testing.Fake;

/// <summary>Finds the answer to a statement and sends it, including its errors, delays and faults.</summary>
internal sealed class StatementRunner(FakeConnection connection, SessionTransaction transaction, MessageWriter writer)
{
    private static readonly FakeError s_cancelled = new("ERROR", "57014", "canceling statement due to user request");

    /// <summary>Begins or prepares a statement.</summary>
    /// <returns>The first available answer: the test's, that from the server's state, or that of a server without tables.</returns>
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

    /// <summary>Sends an answer. The columns are already described if the client asked for that.</summary>
    /// <returns>Whether the statement succeeded.</returns>
    /// <exception cref="ConnectionFaultException">The connection must end.</exception>
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

    /// <summary>Answers a login. Returns if the login succeeds after all.</summary>
    public async Task RefuseAsync(FakeAnswer answer)
    {
        if (answer.Delay > TimeSpan.Zero) await connection.PauseAsync(answer.Delay, heedsCancel: false).ConfigureAwait(false);
        if (answer.Failure is { } error) writer.Error(error with { Severity = "FATAL" });
        await EndByAsync(answer.Failure is null ? answer.Fault : FakeFault.Close).ConfigureAwait(false);
    }

    /// <returns>False, for callers to return.</returns>
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

    /// <returns>True if there is no fault and the statement continues; false if it was cancelled.</returns>
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
