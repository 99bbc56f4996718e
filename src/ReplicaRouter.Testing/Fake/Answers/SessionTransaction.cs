namespace ReplicaRouter.Testing.Fake;

/// <summary>The transaction block of a connection.</summary>
internal sealed class SessionTransaction(TransactionIds ids)
{
    private static readonly HashSet<string> s_writes = ["INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "ALTER", "DROP", "TRUNCATE"];

    private static readonly HashSet<string> s_ends = ["COMMIT", "END", "ROLLBACK", "ABORT"];

    /// <summary>The status in ReadyForQuery: I outside a transaction, T in one, E in a failed one.</summary>
    public char Status { get; private set; } = 'I';

    /// <summary>The transaction's id, once it has written.</summary>
    public long? Id { get; private set; }

    public static bool IsWrite(string word) => s_writes.Contains(word);

    /// <summary>Returns whether a statement is refused because an earlier one failed.</summary>
    public bool Refuses(string word) => Status == 'E' && !s_ends.Contains(word);

    /// <summary>Records a failed statement.</summary>
    public void Fail()
    {
        if (Status == 'T') Status = 'E';
    }

    /// <summary>Applies the effect of a statement on the transaction.</summary>
    /// <returns>The command tag, which a test's answer can override.</returns>
    public string CarryOut(string word, string sql)
    {
        switch (word)
        {
            case "BEGIN" or "START":
                if (Status == 'I') Status = 'T';
                return word == "START" ? "START TRANSACTION" : word;
            case "COMMIT" or "END":
                var isCommitted = Status != 'E';
                End(isCommitted);
                return isCommitted ? "COMMIT" : "ROLLBACK";
            case "ROLLBACK" when IsToSavepoint(sql):
                if (Status == 'E') Status = 'T';
                return word;
            case "ROLLBACK" or "ABORT":
                End(isCommitted: false);
                return "ROLLBACK";
            default:
                if (Status == 'T' && IsWrite(word)) Id ??= ids.Begin();
                return TagOf(word);
        }
    }

    /// <summary>Rolls back what the client left open.</summary>
    public void Abandon() => End(isCommitted: false);

    private void End(bool isCommitted)
    {
        if (Id is { } id) ids.End(id, isCommitted);
        (Status, Id) = ('I', null);
    }

    private static bool IsToSavepoint(string sql) => SqlText.OnOneLine(sql).Contains(" TO ", StringComparison.OrdinalIgnoreCase);

    private static string TagOf(string word) => word switch
    {
        "INSERT" => "INSERT 0 1",
        "UPDATE" or "DELETE" or "MERGE" => $"{word} 1",
        "SELECT" => "SELECT 0",
        _ => word,
    };
}
