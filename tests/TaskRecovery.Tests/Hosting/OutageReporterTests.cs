using TaskRecovery.Hosting;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Hosting;

/// <summary>What is logged while loops fail.</summary>
public sealed class OutageReporterTests
{
    private static readonly StoreUnavailableException Down = new("the server restarts");
    private static readonly InvalidCastException Odd = new("a row can't be read");

    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder<OutageReporter> _log = new();
    private readonly OutageReporter _reporter;

    public OutageReporterTests() => _reporter = new OutageReporter(_time, _log);

    [Fact]
    public void An_outage_is_one_warning_and_one_message_of_its_end_for_all_loops()
    {
        LoopHealth[] loops = [_reporter.Watch("claims"), _reporter.Watch("outcomes"), _reporter.Watch("polling")];

        foreach (var loop in loops)
        {
            loop.Failed(Down);
            loop.Failed(Down);
        }

        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal([1002], _log.Ids);
        foreach (var loop in loops)
        {
            loop.Succeeded();
            loop.Succeeded();
        }

        Assert.Equal([1002, 1003], _log.Ids);
        Assert.Contains("claims", _log.Texts[0], StringComparison.Ordinal);
        Assert.Contains("00:00:03", _log.Texts[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_loop_that_succeeds_while_another_fails_does_not_end_the_outage()
    {
        var (first, second) = (_reporter.Watch("claims"), _reporter.Watch("outcomes"));
        first.Failed(Down);
        second.Failed(Down);

        first.Succeeded();
        first.Failed(Down);
        first.Succeeded();
        Assert.Equal([1002], _log.Ids);
        second.Succeeded();

        Assert.Equal([1002, 1003], _log.Ids);
    }

    [Fact]
    public void A_loop_with_an_error_of_its_own_is_reported_once_beside_an_outage()
    {
        var (first, second) = (_reporter.Watch("claims"), _reporter.Watch("outcomes"));

        first.Failed(Odd);
        first.Failed(Odd);
        second.Failed(Down);
        second.Succeeded();
        first.Succeeded();

        Assert.Equal([3080, 1002, 1003, 3081], _log.Ids);
    }

    [Fact]
    public void A_loop_whose_own_error_follows_an_outage_has_found_the_store_again()
    {
        var loop = _reporter.Watch("claims");

        loop.Failed(Down);
        loop.Failed(Odd);
        loop.Succeeded();

        Assert.Equal([1002, 1003, 3080, 3081], _log.Ids);
    }

    [Fact]
    public void A_loop_that_never_succeeds_again_hides_no_later_outage()
    {
        var (broken, other) = (_reporter.Watch("notifications"), _reporter.Watch("claims"));
        broken.Failed(Down);
        _time.Advance(TimeSpan.FromHours(1));
        broken.Failed(Down);
        Assert.Equal([1002], _log.Ids);

        other.Failed(Down);
        other.Succeeded();
        Assert.Equal([1002, 1002, 1003], _log.Ids);
        broken.Succeeded();

        Assert.Equal([1002, 1002, 1003, 3081], _log.Ids);
    }

    [Fact]
    public void A_loop_is_listed_after_three_failures_in_a_row_until_it_succeeds()
    {
        var (listed, unlisted) = (_reporter.Watch("claims"), _reporter.Watch("notifications", isListed: false));
        for (var failure = 0; failure < 3; failure++)
        {
            Assert.Empty(_reporter.ListFailing());
            listed.Failed(Odd);
            unlisted.Failed(Odd);
        }

        Assert.Equal(["claims"], _reporter.ListFailing());
        listed.Succeeded();

        Assert.Empty(_reporter.ListFailing());
    }
}
