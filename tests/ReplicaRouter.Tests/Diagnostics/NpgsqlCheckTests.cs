namespace ReplicaRouter.Tests.Diagnostics;

public sealed class NpgsqlCheckTests
{
    [Fact]
    public void The_Npgsql_that_is_built_with_has_all_that_is_relied_on() => Assert.Empty(NpgsqlCheck.Missing);

    [Fact]
    public void What_is_not_there_is_named() =>
        Assert.Equal(["the metric 'db.client.renamed'", "the setting 'Renamed Pool Size'"], NpgsqlCheck.MissingOf(["db.client.operation.duration", "db.client.renamed"], ["Timeout", "Renamed Pool Size"]));
}
