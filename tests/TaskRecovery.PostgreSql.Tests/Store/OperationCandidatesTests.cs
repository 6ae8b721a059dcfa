namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>One search finds the entries of many steps of an operation.</summary>
public sealed class OperationCandidatesTests
{
    private readonly OperationCandidates _candidates = new();

    [Fact]
    public void Steps_take_what_one_search_has_found()
    {
        var first = _candidates.Keep(1, position: 100, [90, 80, 70, 60, 50], edge: null, count: 2);
        var second = _candidates.TryTake(1, first.Next!.Value, 2);
        var third = _candidates.TryTake(1, second!.Value.Next!.Value, 2);

        Assert.Equal([90, 80], first.Ids);
        Assert.Equal([70, 60], second.Value.Ids);
        Assert.Equal(60, second.Value.Next);
        Assert.Equal([50], third!.Value.Ids);
        Assert.Null(third.Value.Next);
    }

    [Fact]
    public void A_step_that_another_process_has_done_is_skipped()
    {
        _candidates.Keep(1, position: 100, [90, 80, 70, 60, 50], edge: null, count: 2);

        Assert.Equal([50], _candidates.TryTake(1, 60, 2)!.Value.Ids);
    }

    [Fact]
    public void Beyond_what_a_search_has_examined_another_search_is_needed()
    {
        var first = _candidates.Keep(1, position: 100, [90, 80, 70], edge: 40, count: 2);
        var second = _candidates.TryTake(1, first.Next!.Value, 2);

        Assert.Equal([70], second!.Value.Ids);
        Assert.Equal(40, second.Value.Next);
        Assert.Null(_candidates.TryTake(1, 40, 2));
        Assert.Null(_candidates.TryTake(1, 200, 2));
        Assert.Null(_candidates.TryTake(2, 80, 2));
    }

    [Theory]
    [InlineData(true, EntryState.Waiting)]
    [InlineData(true, EntryState.Waiting, EntryState.Running)]
    [InlineData(false, EntryState.Failed)]
    [InlineData(false, EntryState.Waiting, EntryState.Failed)]
    public void It_is_for_entries_that_have_no_order(bool expected, params EntryState[] states)
        => Assert.Equal(expected, OperationCandidates.IsFor(new EntryQuery { States = states }));
}
