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
    public async Task Entry_that_returns_to_the_queue_keeps_the_time()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node, Entry() with { ExpiresAt = await Fixture.GetTimeAsync(Cancellation) + (2 * Hour) });
        await FinishAsync(held, TaskRecovery.Storage.OutcomeKind.Released);
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
}
