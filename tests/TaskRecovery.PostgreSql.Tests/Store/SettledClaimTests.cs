namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>A claim is removed when each of its entries has an outcome under it, whatever ids the entries have.</summary>
public sealed class SettledClaimTests : PostgreSqlStoreTests
{
    private const long Fence = 7;

    [Theory]
    [InlineData("1, 2, 3", "1, 2, 3", true)]
    [InlineData("3, 1, 2", "1, 2, 3", true)]
    [InlineData("1, 2, 3", "1, 3", false)]
    [InlineData("1, 4", "1, 4", true)]
    [InlineData("1, 4", "4", false)]
    [InlineData("1, 500, 9000", "1, 500, 9000", true)]
    [InlineData("1, 500, 9000", "1, 9000", false)]
    public async Task Every_entry_needs_an_outcome_under_this_claim(string entries, string ended, bool isRemoved)
    {
        Assert.Equal(isRemoved, await RemoveAsync(entries, isPartly: false, ended));
    }

    // An outcome of an entry that a sweep has taken out of the list must not count for one that is still in it.
    [Theory]
    [InlineData("1, 3", "1, 2", false)]
    [InlineData("1, 3", "1, 2, 3", true)]
    public async Task Outcomes_of_entries_that_were_taken_out_of_the_claim_do_not_count(string entries, string ended, bool isRemoved)
    {
        Assert.Equal(isRemoved, await RemoveAsync(entries, isPartly: true, ended));
    }

    // The other entries have outcomes under another claim.
    private async Task<bool> RemoveAsync(string entries, bool isPartly, string ended)
    {
        var store = await OpenStoreAsync();
        var identity = Identity();
        using var node = store.OpenNodeSession();
        node.Register(identity);
        await ExecuteAsync($"""
            insert into taskrecovery.claims (id, node, entries, partly)
                values ({Fence}, (select number from taskrecovery.nodes), array[{entries}]::bigint[], {isPartly});
            insert into taskrecovery.outcomes (entry, fence, duration_ms, kind, attempt, crashes, final)
                select e, {Fence}, 0, 0, 1, 0, true from unnest(array[{ended}]::bigint[]) e
                union all
                select e, {Fence + 1}, 0, 0, 1, 0, true from generate_series(1, 10) e where e <> all (array[{ended}]::bigint[])
            """);

        await store.RemoveSettledClaimsAsync(identity.Id, [Fence], Cancellation);

        return await ScalarAsync<long>("select count(*) from taskrecovery.claims") == 0;
    }
}
