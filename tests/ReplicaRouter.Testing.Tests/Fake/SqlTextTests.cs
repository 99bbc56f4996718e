using ReplicaRouter.Testing.Fake;

namespace ReplicaRouter.Testing.Tests.Fake;

public sealed class SqlTextTests
{
    [Theory]
    [InlineData("SELECT 1; SELECT ';'; ", "SELECT 1|SELECT ';'")]
    [InlineData("SELECT $tag$ ; $tag$; UPDATE a SET b = 'it''s; here'", "SELECT $tag$ ; $tag$|UPDATE a SET b = 'it''s; here'")]
    [InlineData("SELECT 1 -- a; comment\n; /* ; */ SELECT $1;SELECT $2", "SELECT 1 -- a; comment|/* ; */ SELECT $1|SELECT $2")]
    [InlineData(" ; ", "")]
    public void Statements_end_at_semicolons_outside_of_quotes_and_comments(string sql, string statements) =>
        Assert.Equal(statements, string.Join('|', SqlText.Statements(sql)));

    [Theory]
    [InlineData("SELECT a(1, 2), 'b, c', (SELECT d, e FROM f)", "a(1, 2)|'b, c'|(SELECT d, e FROM f)")]
    [InlineData("select extract(epoch FROM now())", "extract(epoch FROM now())")]
    [InlineData("SELECT a, b FROM c", "")]
    [InlineData("UPDATE a SET b = 1, c = 2", "")]
    public void Columns_are_those_of_a_select_without_from(string sql, string columns) => Assert.Equal(columns, string.Join('|', SqlText.Columns(sql)));

    [Theory]
    [InlineData("  begin transaction", "BEGIN")]
    [InlineData("/* app */ Update a", "UPDATE")]
    [InlineData("ROLLBACK;", "ROLLBACK")]
    [InlineData("", "")]
    public void The_first_word_is_found_after_comments(string sql, string word) => Assert.Equal(word, SqlText.FirstWord(sql));
}
