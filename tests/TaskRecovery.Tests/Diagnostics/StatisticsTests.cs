using TaskRecovery.Diagnostics;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Diagnostics;

public sealed class StatisticsTests
{
    private readonly Metrics _metrics = new();

    private Statistics Statistics => _metrics.Statistics;

    [Fact]
    public void What_the_metrics_count_is_added_up_by_queue_and_kind()
    {
        _metrics.Enqueued("q", "k", 3);
        _metrics.Claimed("q", "k", TimeSpan.FromSeconds(2));
        _metrics.Finished("q", "k", OutcomeKind.Completed, TimeSpan.FromSeconds(1));
        _metrics.Finished("q", "k", OutcomeKind.Retried, TimeSpan.FromSeconds(4));
        _metrics.Finished("q", "k", OutcomeKind.Superseded, TimeSpan.Zero);
        _metrics.Enqueued("q", "other");

        var taken = Statistics.Take().OrderBy(count => count.Kind, StringComparer.Ordinal).ToArray();

        var expected = new EntryTotals
        {
            Enqueued = 3,
            Completed = 1,
            Retried = 1,
            Cancelled = 1,
            RunTime = TimeSpan.FromSeconds(5),
            WaitTime = TimeSpan.FromSeconds(2),
        };
        Assert.Equal([new StatisticsCount("q", "k", expected), new StatisticsCount("q", "other", new EntryTotals { Enqueued = 1 })], taken);
    }

    [Fact]
    public void What_was_taken_is_gone_and_what_could_not_be_stored_comes_back()
    {
        _metrics.Enqueued("q", "k", 3);
        var taken = Statistics.Take();

        Assert.Empty(Statistics.Take());
        Statistics.PutBack(taken);
        _metrics.Enqueued("q", "k");
        Assert.Equal(4, Assert.Single(Statistics.Take()).Totals.Enqueued);
    }

    [Fact]
    public void Recovery_counts_lost_and_released_runs_and_ended_entries()
    {
        var lost = new RecoveryItem
        {
            Action = RecoveryAction.Recovered,
            EntryId = 1,
            Queue = "q",
            Kind = "k",
            NodeDied = true,
            Crashes = 1,
        };
        var report = new RecoveryReport(
        [
            lost,
            lost with { NodeDied = false, Crashes = 0 },
            lost with { NodeDied = false },
            lost with { Action = RecoveryAction.Closed, Reason = EndReasons.CrashLoop, Crashes = 4 },
            lost with { Action = RecoveryAction.Closed, Reason = EndReasons.CancelRequested },
            lost with { EntryId = null },
        ]);

        _metrics.Recovered(report);

        Assert.Equal(new EntryTotals { Lost = 3, Released = 2, Failed = 1, Cancelled = 1 }, Assert.Single(Statistics.Take()).Totals);
    }

    [Fact]
    public async Task Counting_from_many_threads_loses_nothing()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var round = 0; round < 10_000; round++)
            {
                _metrics.Enqueued("q", "k");
            }
        })));

        Assert.Equal(40_000, Assert.Single(Statistics.Take()).Totals.Enqueued);
    }
}
