using TaskRecovery.Claims;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Claims;

/// <summary>How much goes to the store at once.</summary>
public sealed class FlushPartTests
{
    [Theory]
    [InlineData(100, 2_000, 10, 100)] // small ones: all
    [InlineData(100, 30, 10, 30)] // as many as wanted
    [InlineData(700, 2_000, 2 * 1024 * 1024, 4)] // 700 results of 2 MiB: four at a time
    [InlineData(3, 2_000, 64 * 1024 * 1024, 1)] // one that is larger than a part goes alone
    public void A_part_is_limited_by_count_and_by_bytes(int count, int size, int bytes, int expected)
    {
        var result = new byte[bytes];
        var batch = Enumerable.Range(1, count).Select(id => new PendingOutcome(
            new RunOutcome { EntryId = id, Fence = 1, Kind = OutcomeKind.Completed, Result = result },
            null!, "kind", Suspicion.None)).ToList();

        var first = FlushPart.Of(batch, 0, size);
        var second = FlushPart.Of(batch, count - 1, size);

        Assert.Equal(expected, first.Count);
        Assert.Equal(1, first[0].Outcome.EntryId);
        Assert.Equal(count, Assert.Single(second).Outcome.EntryId);
    }
}
