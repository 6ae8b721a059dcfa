using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests that an entry's time of expiry is stored, and returned by the claim as the time that is left.</summary>
public abstract class ExpiryTests(StoreFixture fixture) : StoreTests(fixture)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task Claim_returns_how_long_the_entry_may_still_start()
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var ids = await GivenEntriesAsync(
            3, index => Entry() with { ExpiresAt = index switch { 0 => now + Hour, 1 => now - Hour, _ => null } });

        var batch = await ClaimAsync(GivenNode());

        Assert.Equal(ids, batch.Entries.Select(entry => entry.Id));
        Assert.InRange(batch.Entries[0].StartsWithin!.Value, Hour - TimeSpan.FromMinutes(1), Hour);
        Assert.InRange(batch.Entries[1].StartsWithin!.Value, -Hour - TimeSpan.FromMinutes(1), -Hour + TimeSpan.FromMilliseconds(1));
        Assert.Null(batch.Entries[2].StartsWithin);
    }

    [Fact]
    public async Task Entry_shows_when_it_expires()
    {
        var at = new DateTimeOffset(2100, 2, 3, 4, 5, 6, TimeSpan.Zero);

        var expiring = await GivenEntryAsync(Entry(key: "k") with { ExpiresAt = at });
        var plain = await GivenEntryAsync();

        Assert.Equal(at, (await FindAsync(expiring)).ExpiresAt);
        Assert.Null((await FindAsync(plain)).ExpiresAt);
    }

    [Fact]
    public async Task Entry_that_was_released_before_it_had_started_keeps_the_time()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node, await ExpiringAsync(2 * Hour));
        await FinishAsync(held, OutcomeKind.Released, reason: EndReasons.NotStarted);
        held = await ClaimOneAsync(node, held.Id);
        Assert.Equal(1, await Store.ReleaseClaimsAsync(node.Id, [held.Fence], Cancellation));
        await ShiftTimeAsync(Hour);

        var again = Assert.Single((await ClaimAsync(GivenNode())).Entries);

        Assert.InRange(again.StartsWithin!.Value, Hour - TimeSpan.FromMinutes(1), Hour);
    }

    [Fact]
    public async Task Entry_that_expires_may_be_stored_in_the_callers_transaction()
    {
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        var at = new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

        var stored = Assert.Single(await Store.EnqueueAsync([Entry() with { ExpiresAt = at }], transaction, Cancellation));
        await transaction.CommitAsync(Cancellation);

        Assert.Equal(at, (await FindAsync(stored.Id)).ExpiresAt);
    }

    [Theory]
    [InlineData(OutcomeKind.Retried)]
    [InlineData(OutcomeKind.Snoozed)]
    [InlineData(OutcomeKind.Released)]
    public async Task Entry_that_has_started_does_not_expire(OutcomeKind kind)
    {
        var node = GivenNode();
        await FinishAsync(await GivenClaimedAsync(node, await ExpiringAsync(Hour)), kind);
        await ShiftTimeAsync(2 * Hour);

        Assert.Null(Assert.Single((await ClaimAsync(node)).Entries).StartsWithin);
    }

    [Fact]
    public async Task Entry_whose_node_died_does_not_expire()
    {
        await DieAndSweepAsync((await GivenClaimedAsync(GivenNode(), await ExpiringAsync(Hour))).Node);
        await ShiftTimeAsync(2 * Hour);

        Assert.Null(Assert.Single((await ClaimAsync(GivenNode())).Entries).StartsWithin);
    }

    [Theory]
    [InlineData(OutcomeKind.Failed, EndReasons.AttemptsExhausted)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.Expired)]
    public async Task Entry_that_an_operator_retries_does_not_expire(OutcomeKind kind, string reason)
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node, await ExpiringAsync(Hour));
        await FinishAsync(held, kind, reason: reason, hasUniqueKey: true);
        await ShiftTimeAsync(2 * Hour);

        Assert.Equal(OperatorResult.Done, await Store.RetryAsync(held.Id, RetryFrom.LastStep, Cancellation));

        var again = Assert.Single((await ClaimAsync(node)).Entries);
        Assert.Equal((null, 1), (again.StartsWithin, again.Attempt));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Entry_that_expired_while_it_waited_does_not_stand_for_a_new_one(bool inTransaction)
    {
        var expired = await GivenEntryAsync(await ExpiringAsync(Hour));
        var plain = await GivenEntryAsync(Entry(key: "plain"));
        await ShiftTimeAsync(2 * Hour);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = inTransaction ? await connection.BeginTransactionAsync(Cancellation) : null;

        var stored = await Store.EnqueueAsync([Entry(key: "plain"), Entry(key: "k"), Entry(key: "k")], transaction, Cancellation);
        if (transaction is not null)
        {
            await transaction.CommitAsync(Cancellation);
        }

        Assert.Equal([true, false, true], stored.Select(result => result.IsDuplicate));
        Assert.Equal((plain, stored[1].Id), (stored[0].Id, stored[2].Id));
        var ended = await FindAsync(expired);
        Assert.Equal((EntryState.Cancelled, EndReasons.Expired), (ended.State, ended.Reason));
        Assert.Equal(EntryState.Waiting, await StateAsync(stored[1].Id));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Entry_that_its_transaction_has_stored_expired_does_not_stand_for_a_new_one(int count)
    {
        var expiring = await ExpiringAsync(-Hour);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        var expired = Assert.Single(await Store.EnqueueAsync([expiring], transaction, Cancellation));

        var stored = await Store.EnqueueAsync(
            [.. Enumerable.Range(0, count).Select(index => Entry(key: index == 0 ? "k" : "other"))], transaction, Cancellation);
        await transaction.CommitAsync(Cancellation);

        Assert.All(stored, result => Assert.False(result.IsDuplicate));
        var ended = await FindAsync(expired.Id);
        Assert.Equal((EntryState.Cancelled, EndReasons.Expired), (ended.State, ended.Reason));
        Assert.Equal(EntryState.Waiting, await StateAsync(stored[0].Id));
    }

    [Fact]
    public async Task Of_many_that_follow_an_expired_entry_one_is_stored()
    {
        var expired = await GivenEntryAsync(await ExpiringAsync(Hour));
        await ShiftTimeAsync(2 * Hour);

        var results = await Task.WhenAll(
            Enumerable.Range(0, 16).Select(_ => Task.Run(() => EnqueueAsync(Entry(key: "k")), Cancellation)));

        Assert.Single(results, result => !result.IsDuplicate);
        Assert.NotEqual(expired, Assert.Single(results.Select(result => result.Id).Distinct()));
    }

    [Theory]
    [InlineData(OutcomeKind.Released, EndReasons.NotStarted, false)]
    [InlineData(OutcomeKind.Released, null, true)]
    [InlineData(OutcomeKind.Snoozed, null, true)]
    public async Task Entry_that_waits_again_after_its_time_holds_its_key_if_it_has_started(OutcomeKind kind, string? reason, bool holds)
    {
        var held = await GivenClaimedAsync(GivenNode(), await ExpiringAsync(Hour));
        await ShiftTimeAsync(2 * Hour);
        Assert.Equal(new EnqueueResult(held.Id, true), await EnqueueAsync(Entry(key: "k")));
        await FinishAsync(held, kind, reason: reason, hasUniqueKey: true);

        Assert.Equal(holds, (await EnqueueAsync(Entry(key: "k"))).IsDuplicate);
    }

    private async Task<NewEntry> ExpiringAsync(TimeSpan within)
        => Entry(key: "k") with { ExpiresAt = await Fixture.GetTimeAsync(Cancellation) + within };
}
