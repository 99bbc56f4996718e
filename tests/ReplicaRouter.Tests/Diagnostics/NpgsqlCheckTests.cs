namespace ReplicaRouter.Tests.Diagnostics;

public sealed class NpgsqlCheckTests
{
    [Fact]
    public void The_referenced_Npgsql_has_every_metric_and_setting_we_rely_on() => Assert.Empty(NpgsqlCheck.Missing);

    [Fact]
    public void Missing_metrics_and_settings_are_named() =>
        Assert.Equal(["the metric 'db.client.renamed'", "the setting 'Renamed Pool Size'"], NpgsqlCheck.MissingOf(["db.client.operation.duration", "db.client.renamed"], ["Timeout", "Renamed Pool Size"]));
}
