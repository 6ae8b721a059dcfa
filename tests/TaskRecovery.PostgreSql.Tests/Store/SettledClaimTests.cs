using Npgsql;

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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_removal_does_not_wait_for_the_disk_and_what_follows_does(bool isOwnConnection)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        var database = isOwnConnection ? Open() : Keep(
            new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, source), new PostgreSqlOptions(), Lease));
        var store = await OpenStoreAsync(database);
        await ExecuteAsync("""
            create table public.seen (setting text);
            create function public.note() returns trigger language plpgsql as $$
                begin
                    insert into public.seen values (current_setting('synchronous_commit'));
                    return null;
                end $$;
            create trigger note after delete on taskrecovery.claims for each statement execute function public.note()
            """);

        await store.RemoveSettledClaimsAsync(Guid.NewGuid(), [Fence], Cancellation);
        var after = await database.ReadAsync(
            "select current_setting('synchronous_commit')",
            [],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token);
                return reader.GetString(0);
            },
            Cancellation);

        Assert.Equal(("off", "on"), (await ScalarAsync<string>("select setting from public.seen"), after));
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
