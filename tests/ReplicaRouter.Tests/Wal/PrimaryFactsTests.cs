using System.Data;
using NpgsqlTypes;

namespace ReplicaRouter.Tests.Wal;

public class PrimaryFactsTests
{
    private static readonly DateTime s_started = new(2026, 1, 1);
    private static readonly DateTime s_countsSince = new(2026, 1, 2);

    private static PrimaryFacts Read(object recoveryEnd, object countsSince)
    {
        using var table = new DataTable();
        table.Columns.Add("file", typeof(string));
        table.Columns.Add("inserted", typeof(NpgsqlLogSequenceNumber));
        table.Columns.Add("recovered", typeof(NpgsqlLogSequenceNumber));
        table.Columns.Add("started", typeof(DateTime));
        table.Columns.Add("counts", typeof(DateTime));
        table.Rows.Add("0000001B0000000000000042", new NpgsqlLogSequenceNumber(1000), recoveryEnd, s_started, countsSince);
        using var reader = table.CreateDataReader();
        Assert.True(reader.Read());
        return PrimaryFacts.Read(reader, systemIdentifier: 7);
    }

    [Fact]
    public void A_row_shows_the_position_the_recovery_and_the_run_of_the_server() =>
        Assert.Equal(new PrimaryFacts(new WalPosition(7, 0x1B, 1000), 500, (s_started, s_countsSince)), Read(new NpgsqlLogSequenceNumber(500), s_countsSince));

    [Fact]
    public void A_server_that_never_recovered_has_no_end_of_recovery() => Assert.Null(Read(DBNull.Value, s_countsSince).RecoveryEnd);

    [Fact]
    public void Without_the_age_of_the_statistics_the_run_is_unknown() => Assert.Null(Read(new NpgsqlLogSequenceNumber(500), DBNull.Value).Run);
}
