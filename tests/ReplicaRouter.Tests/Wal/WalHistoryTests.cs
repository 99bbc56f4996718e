using FsCheck.Xunit;

namespace ReplicaRouter.Tests.Wal;

public class WalHistoryTests
{
    [Fact]
    public void A_position_is_proven_at_its_last_observation()
    {
        var history = WalHistory.Empty.Record(1, 10, 100).Record(1, 20, 200).Record(1, 30, 200).Record(1, 40, 300);
        Assert.Null(history.ProvenAt(99));
        Assert.Equal(10, history.ProvenAt(100));
        Assert.Equal(10, history.ProvenAt(199));
        Assert.Equal(30, history.ProvenAt(250));
        Assert.Equal(35, history.EstimatedAt(250));
        Assert.Equal(40, history.ProvenAt(1000));
    }

    [Fact]
    public void Out_of_order_answers_prove_nothing_new()
    {
        var history = WalHistory.Empty.Record(1, 10, 100).Record(1, 20, 200);
        Assert.Same(history, history.Record(1, 15, 300));
        Assert.Same(history, history.Record(1, 25, 150));
    }

    [Fact]
    public void A_new_timeline_restarts_the_history_and_an_old_one_is_ignored()
    {
        var history = WalHistory.Empty.Record(1, 10, 1000).Record(2, 20, 500);
        Assert.Equal((20L, 500UL), (history.NewestAt, history.NewestLsn));
        Assert.Same(history, history.Record(1, 30, 2000));
    }

    /// <summary>This keeps the lag honest: a proof never claims more than was observed, however long the history is and however it was thinned out.</summary>
    [Property(MaxTest = 200)]
    public void A_proof_never_claims_a_fresher_position_than_was_observed(ushort[] steps)
    {
        var (history, lsn, truth) = (WalHistory.Empty, 1000UL, new List<(long At, ulong Lsn)>());
        foreach (var (step, at) in steps.Concat(steps).Concat(steps).Concat(steps).Select((s, i) => (s, i)))
        {
            lsn += (ulong)(step % 3);
            truth.Add((at, lsn));
            history = history.Record(1, at, lsn);
        }

        for (var probe = 1000UL; probe <= lsn + 1 && truth.Count > 0; probe++)
        {
            var exact = truth.LastOrDefault(s => s.Lsn <= probe, (At: -1L, Lsn: 0UL));
            var proven = history.ProvenAt(probe);
            Assert.True(proven is null || proven <= exact.At, $"lsn {probe}: proven {proven}, seen {exact.At}");
            if (probe >= lsn) Assert.Equal(truth[^1].At, proven);
        }
    }
}
